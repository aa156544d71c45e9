// htmx with the page's CSRF token and with messages for what went wrong.
// Its settings stand in <meta name="htmx-config"> of templates/layouts/_head.html.
import "htmx.org";
import { message, meta, refreshToken, toast } from "./page.js";

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = meta("csrf-token");
});

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status === 401) {
    toast(message("signed-out"), "warning", { href: meta("sign-in"), text: message("sign-in") });
    window.addEventListener("focus", () => refreshToken().catch(() => {}), { once: true });
  } else {
    toast(`${message("failed")} (${status})`);
  }
});

document.addEventListener("htmx:sendError", () => toast(message("offline"), "warning"));
document.addEventListener("htmx:timeout", () => toast(message("offline"), "warning"));
