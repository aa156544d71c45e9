// A sitting (templates/audits/assessments/sitting.html): "clip heard" can be ticked once the clip was
// played to its end, and is ticked then. Without this script it is ticked by hand.
const NEAR = 0.4;

for (const clip of document.querySelectorAll("[data-clip]")) {
  const audio = clip.querySelector("audio");
  const box = clip.querySelector("input[type=checkbox]");
  if (!audio || !box || box.checked) continue;
  box.disabled = true;
  const heard = () => {
    if (!box.disabled) return;
    box.disabled = false;
    box.checked = true;
  };
  const until = Number.parseFloat(clip.dataset.until);
  audio.addEventListener("ended", heard);
  audio.addEventListener("timeupdate", () => {
    if (!audio.seeking && Number.isFinite(until) && audio.currentTime >= until - NEAR) heard();
  });
  // A recording that cannot be played here is opened on the form's page: then it is ticked by hand.
  audio.addEventListener("error", () => {
    box.disabled = false;
  });
}
