/* survey.js: tells a person from a program that opens links, and a number that was picked from one that was sent. The page works without it. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-answer]");
  if (!form) return;
  const field = form.elements.hand, kinds = { pointerdown: "press", mousedown: "press", touchstart: "touch", click: "click", keydown: "key", wheel: "wheel", change: "change" };
  field.value = "none";
  Object.keys(kinds).forEach(name => document.addEventListener(name, e => {
    if (e.isTrusted && field.value === "none") field.value = e.pointerType === "touch" ? "touch" : kinds[name];
  }, { passive: true, capture: true }));

  /* The question for the reason follows the number */
  const words = form.querySelector("[data-why]"), scores = [...form.querySelectorAll("[name=score]")];
  if (words) scores.forEach(box => box.addEventListener("change", () => {
    const n = +box.value;
    words.textContent = n >= 9 ? words.dataset.promoter : n >= 7 ? words.dataset.passive : words.dataset.detractor;
  }));

  /* Seconds in view; told once when the page is left without sending, with the number that is marked */
  if (!form.dataset.seen || !navigator.sendBeacon) return;
  let since = document.hidden ? 0 : Date.now(), visible = 0, sent = false, told = "";
  const pause = () => { if (since) { visible += Date.now() - since; since = 0; } };
  const tell = () => {
    const picked = scores.find(box => box.checked), state = picked && field.value !== "none" ? picked.value : "";
    const now = state + (visible >= 5000 ? " seen" : "");
    if (sent || !state || told === now) return;
    told = now;
    const body = new URLSearchParams({ form: form.elements.form.value, hand: field.value, score: state, visible: String(Math.floor(visible / 1000)) });
    navigator.sendBeacon(form.dataset.seen, body);
  };
  form.addEventListener("submit", () => { sent = true; });
  document.addEventListener("visibilitychange", () => { if (document.hidden) { pause(); tell(); } else since = since || Date.now(); });
  window.addEventListener("pagehide", () => { pause(); tell(); });
})();
