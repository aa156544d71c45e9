// The side bar on small screens: opens over the page, keeps the focus, Escape closes it.
// Without this script the burger is a link to the bar (`:target`) and back.
const side = document.getElementById("side");
const burger = document.querySelector(".burger");
const closer = document.querySelector(".side-close");
const page = document.querySelector(".page");

function show(open) {
  side.classList.toggle("is-open", open);
  burger.setAttribute("aria-expanded", String(open));
  page.inert = open;
  if (open) (side.querySelector("[aria-current]") ?? closer).focus();
  else burger.focus();
}

if (side && burger && closer && page) {
  for (const link of [burger, closer]) link.setAttribute("role", "button");
  burger.setAttribute("aria-expanded", "false");
  const toggle = (open) => (event) => {
    event.preventDefault();
    show(open);
  };
  burger.addEventListener("click", toggle(true));
  closer.addEventListener("click", toggle(false));
  for (const link of [burger, closer]) {
    link.addEventListener("keydown", (event) => {
      if (event.key === " ") {
        event.preventDefault();
        link.click();
      }
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side.classList.contains("is-open")) show(false);
  });
  document.addEventListener("pointerdown", (event) => {
    if (side.classList.contains("is-open") && !side.contains(event.target)) show(false);
  });
  window.matchMedia("(min-width: 992px)").addEventListener("change", (event) => {
    if (event.matches && side.classList.contains("is-open")) show(false);
  });
}
