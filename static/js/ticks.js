// Lists whose rows can be ticked: [data-tick-all="name"] ticks every box of that name on the page
// (or none, when all are ticked; those marked data-optional are left to the person),
// [data-ticked="name"] says how many are. Without this script both stay hidden, and the boxes work
// one by one.
function boxes(name) {
  return [...document.querySelectorAll(`input[type=checkbox][name="${CSS.escape(name)}"]`)];
}

function meant(name) {
  return boxes(name).filter((one) => !("optional" in one.dataset));
}

function show() {
  for (const button of document.querySelectorAll("[data-tick-all]")) {
    const all = meant(button.dataset.tickAll);
    button.hidden = all.length < 2;
    button.setAttribute("aria-pressed", String(all.length > 0 && all.every((one) => one.checked)));
  }
  for (const bar of document.querySelectorAll("[data-ticked]")) {
    const count = boxes(bar.dataset.ticked).filter((one) => one.checked).length;
    bar.hidden = count === 0;
    for (const text of bar.querySelectorAll("[data-count]")) text.textContent = String(count);
  }
}

document.addEventListener("click", (event) => {
  const name = event.target.closest("[data-tick-all]")?.dataset.tickAll;
  if (!name) return;
  const all = meant(name);
  const on = !all.every((one) => one.checked);
  for (const one of all) one.checked = on;
  show();
});
document.addEventListener("change", (event) => {
  if (event.target.type === "checkbox") show();
});
document.addEventListener("htmx:afterSettle", show);
window.addEventListener("pageshow", show);
show();
