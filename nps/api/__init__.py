"""The ground under `/api/v1`: one form of refusal, strict JSON, paging, idempotent POSTs, limits, one description.

Knows no feature: operations live in the features' `api.py` on an `Api` blueprint made here.
Promises that every answer under /api is JSON or problem+json, that a repeated POST has one effect, and that the
description lists every status an operation can give.
"""
