// "/" goes to the search box; [data-print] prints; [data-select-all] ticks its table's boxes.

import { isTyping } from "./page.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = document.querySelector("[data-search]");
  if (!box || isTyping(event.target) || !box.offsetParent) return;
  event.preventDefault();
  box.focus();
});

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
