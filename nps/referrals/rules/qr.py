"""QR codes of links: a path for pages, files for print. Black on white only, quiet zone 4."""

from io import BytesIO

import segno

QUIET = 4


def path(address: str) -> tuple[int, str]:
    """(side in modules without the quiet zone, path data) of the code for a screen, error level M."""
    rows = segno.make(address, error="m", micro=False).matrix
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                parts.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return len(rows), "".join(parts)


def svg(address: str) -> bytes:
    """A file for print, error level Q."""
    out = BytesIO()
    segno.make(address, error="q", micro=False).save(
        out, kind="svg", border=QUIET, scale=8, dark="#000", light="#fff", xmldecl=True, svgclass=None, lineclass=None
    )
    return out.getvalue()


def png(address: str, pixels: int) -> bytes:
    """A picture of at most `pixels` on a side: whole pixels per module, error level Q."""
    code = segno.make(address, error="q", micro=False)
    modules = code.symbol_size(scale=1, border=QUIET)[0]
    out = BytesIO()
    code.save(out, kind="png", border=QUIET, scale=max(1, pixels // modules), dark="#000", light="#fff")
    return out.getvalue()
