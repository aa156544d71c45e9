// What the server tells scripts about the page: <meta> values and translated messages.

/** Content of <meta name=…>, or "". */
export function meta(name) {
  return document.querySelector(`meta[name="${name}"]`)?.content ?? "";
}

/** Translated message of the layout's <template id="messages"> by its data-key. */
export function message(key) {
  const store = document.getElementById("messages");
  return store?.content.querySelector(`[data-key="${key}"]`)?.textContent.trim() ?? "";
}

/** Show `text` in the corner of the page, in a live region; `link` = {href, text} is optional. */
export function toast(text, tone = "danger", link = null) {
  const region = document.getElementById("toasts");
  if (!region || !text) return;
  if ([...region.children].some((shown) => shown.dataset.text === text)) return;
  const box = document.createElement("div");
  box.className = `alert tone-${tone}`;
  box.dataset.text = text;
  const body = document.createElement("div");
  body.textContent = text;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.target = "_blank";
    anchor.rel = "noopener";
    anchor.textContent = link.text;
    body.append(" ", anchor);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn-sm btn-link";
  close.textContent = message("close");
  close.addEventListener("click", () => box.remove());
  box.append(body, close);
  region.append(box);
  if (!link) setTimeout(() => box.remove(), 12000);
}

/** Whether keys belong to what the person is typing in. */
export function isTyping(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Whether single keys act; a switch ([data-keys-switch]) turns them off for this browser. */
export function keysOn() {
  try {
    return window.localStorage.getItem("keys") !== "off";
  } catch {
    return true;
  }
}

/** Take the CSRF token of a fresh copy of this page (after signing in again in another tab). */
export async function refreshToken() {
  const answer = await fetch(window.location.href, { credentials: "same-origin" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = fresh.querySelector('meta[name="csrf-token"]')?.content;
  const kept = document.querySelector('meta[name="csrf-token"]');
  if (!token || !kept || answer.redirected) return false;
  kept.content = token;
  for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = token;
  return true;
}
