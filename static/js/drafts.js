// What was typed into a form comes back when the session had expired: the form is kept in this
// tab's session storage as it is sent; should the answer be the sign-in page, the same person finds
// it again on the page they come back to. Any other answer means that it arrived: it is forgotten.
// Never kept: passwords, files, hidden fields, and what stands in an element with data-private.
import { message, meta, toast } from "./page.js";

const KEY = "unsent-form";
const LEFT_OUT = new Set(["hidden", "password", "file", "submit", "button", "image", "reset"]);
const CHOICES = new Set(["checkbox", "radio"]);

const account = meta("account");
const place = () => window.location.pathname;

function fields(form) {
  return [...form.elements].filter(
    (one) => one.name && !LEFT_OUT.has(one.type) && one.type && !one.closest("[data-private]"),
  );
}

function value(field) {
  if (CHOICES.has(field.type)) return field.checked;
  if (field.type === "select-multiple") return [...field.selectedOptions].map((one) => one.value);
  return field.value;
}

function put(field, kept) {
  if (CHOICES.has(field.type)) field.checked = kept;
  else if (field.type === "select-multiple") {
    for (const option of field.options) option.selected = kept.includes(option.value);
  } else field.value = kept;
  for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
}

/** How a field is found again: its name, what it stands for among choices, its turn. */
function names(all) {
  const seen = new Map();
  return all.map((field) => {
    const name = `${field.name}=${CHOICES.has(field.type) ? field.value : ""}`;
    const turn = seen.get(name) ?? 0;
    seen.set(name, turn + 1);
    return `${name}#${turn}`;
  });
}

const target = (form) => new URL(form.action, window.location.href).pathname;
const alike = (action) => [...document.forms].filter((form) => target(form) === action);

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

function write(draft) {
  try {
    if (draft) sessionStorage.setItem(KEY, JSON.stringify(draft));
    else sessionStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing loses what was typed, as it would have before.
  }
}

function restore(draft) {
  const form = alike(draft.action)[draft.turn];
  if (!form) return;
  const all = fields(form);
  names(all).forEach((name, at) => {
    if (!(name in draft.fields) || draft.fields[name] === value(all[at])) return;
    put(all[at], draft.fields[name]);
    for (let box = all[at].closest("details"); box; box = box.parentElement.closest("details")) {
      box.open = true;
    }
  });
  toast(message("restored"), "info");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!account || form.method !== "post" || event.defaultPrevented) return;
  const all = fields(form);
  const action = target(form);
  write({
    account,
    place: place(),
    action,
    turn: alike(action).indexOf(form),
    fields: Object.fromEntries(names(all).map((name, at) => [name, value(all[at])])),
  });
});

const draft = read();
if (draft) {
  if (place() === meta("sign-in")) write({ ...draft, lost: true });
  else {
    write(null);
    if (draft.lost && draft.account === account && draft.place === place()) restore(draft);
  }
}
