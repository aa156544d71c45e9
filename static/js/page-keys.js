// "/" goes to the search box; [data-key] is followed by its key, unless [data-keys-switch] turned
// single keys off; [data-print] prints; [data-select-all] ticks its table's boxes.

import { isTyping, keysOn } from "./page.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = document.querySelector("[data-search]");
  if (!box || isTyping(event.target) || !box.offsetParent) return;
  event.preventDefault();
  box.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || !keysOn()) return;
  if (event.key.length !== 1) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!target) return;
  event.preventDefault();
  target.click();
});

function showSwitches() {
  for (const box of document.querySelectorAll("[data-keys-switch]")) box.checked = keysOn();
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-keys-switch]")) return;
  try {
    window.localStorage.setItem("keys", event.target.checked ? "on" : "off");
  } catch {
    showSwitches();
  }
});

showSwitches();

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-select-all]");
  if (!all) return;
  for (const box of all.closest("table").querySelectorAll("tbody input[type=checkbox]")) {
    if (!box.disabled) box.checked = all.checked;
  }
});
