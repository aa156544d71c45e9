// Every signed-in page: htmx and the small comforts that pages work without.
import "./htmx.js";
import "./disclosures.js";
import "./submit-guard.js";
import "./drafts.js";
import "./side-menu.js";
import "./page-keys.js";
import "./refreshes.js";
import "./ticks.js";
