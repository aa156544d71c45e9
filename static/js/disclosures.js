// <details class="drop"> menus and <details class="confirm"> questions: close on Escape, on a
// click elsewhere, on "cancel"; one open menu at a time. Without this script they still open.
const FLOATING = "details.drop[open], details.confirm[open]";

function close(details, refocus) {
  details.open = false;
  if (refocus) details.querySelector("summary")?.focus();
}

document.addEventListener("click", (event) => {
  const cancel = event.target.closest("[data-cancel]");
  if (cancel) {
    const details = cancel.closest("details");
    if (details) close(details, true);
  }
  for (const details of document.querySelectorAll(FLOATING)) {
    if (!details.contains(event.target)) close(details, false);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = [...document.querySelectorAll(FLOATING)].pop();
  if (open) {
    close(open, open.contains(document.activeElement));
    event.stopPropagation();
  }
});

document.addEventListener("focusin", (event) => {
  for (const details of document.querySelectorAll("details.drop[open]")) {
    if (!details.contains(event.target)) close(details, false);
  }
});
