// Parts of a page that are read anew by themselves (data-hx-trigger) take nothing out of a person's
// hands: panels stay open, the focus stays where it is, and a part in which a file was chosen waits.
const AGAIN_AFTER = 2000;
const FOCUSABLE = "a[href], button, input, select, textarea, summary";

/** What is open or has the focus, by names that the new copy has too. */
let held = { open: [], focus: null };

/** A name of a <details>: what it sends, or whose it is and what stands on it. */
function nameOf(details) {
  const form = details.querySelector("form")?.getAttribute("action");
  const row = details.closest("tr")?.querySelector("th")?.textContent ?? "";
  return form ?? `${row}${details.querySelector("summary")?.textContent}`;
}

function openOnes(root) {
  return [...root.querySelectorAll("details[open]")].map((one) => [one, nameOf(one)]);
}

/** A way to find the same control in another copy: its panel, and which of its controls it is. */
function wayTo(control) {
  const details = control.closest("details");
  const { tagName } = control;
  const own = control.getAttribute("href") ?? (control.name ? `${control.name}=${control.value}` : "");
  const place = details ? [...details.querySelectorAll(FOCUSABLE)].indexOf(control) : -1;
  return { control, details: details && nameOf(details), place, tagName, own };
}

function found({ details, place, tagName, own }) {
  if (details) {
    const panel = [...document.querySelectorAll("details")].find((one) => nameOf(one) === details);
    return panel?.querySelectorAll(FOCUSABLE)[place];
  }
  if (!own) return null;
  return [...document.querySelectorAll(tagName)].find(
    (one) => (one.getAttribute("href") ?? `${one.name}=${one.value}`) === own,
  );
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  const chosen = [...target.querySelectorAll("input[type=file]")].some((one) => one.files.length);
  if (chosen) {
    event.detail.shouldSwap = false;
    setTimeout(() => target.dispatchEvent(new Event("again")), AGAIN_AFTER);
    return;
  }
  const main = document.querySelector("main") ?? document;
  const active = document.activeElement;
  held = { open: openOnes(main), focus: main.contains(active) ? wayTo(active) : null };
});

document.addEventListener("htmx:afterSettle", () => {
  for (const [details, name] of held.open) {
    if (details.isConnected) continue;
    const fresh = [...document.querySelectorAll("details:not([open])")];
    const same = fresh.find((one) => nameOf(one) === name);
    if (same) same.open = true;
  }
  if (held.focus && !held.focus.control.isConnected) found(held.focus)?.focus({ preventScroll: true });
});
