// A sitting (templates/audits/assessments/sitting.html): at a clip's end its button "clip heard" is
// pressed. Whether it can have been heard by then, the server decides. Without this script, or where
// the recording does not play, people press the button themselves.
const NEAR = 0.4;

for (const clip of document.querySelectorAll("[data-clip]")) {
  const audio = clip.querySelector("audio");
  let told = false;
  const heard = () => {
    if (told) return;
    told = true;
    clip.querySelector("[data-heard]")?.click();
  };
  const until = Number.parseFloat(clip.dataset.until);
  audio.addEventListener("ended", heard);
  // Heard again after a refusal, the button is pressed again.
  audio.addEventListener("play", () => {
    told = false;
  });
  audio.addEventListener("timeupdate", () => {
    if (!audio.seeking && Number.isFinite(until) && audio.currentTime >= until - NEAR) heard();
  });
}
