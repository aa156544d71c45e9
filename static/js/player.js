// The recording player (templates/components/player.html): waveform over the page's <audio>,
// keys, marks. Without this script the <audio> element's own controls remain.
//
// Keys, unless the person is typing: space plays, J/L go 5 s back/forward, M begins and ends a
// mark, 1-3 give the last mark its severity (minor, ordinary, serious). Only where a form takes marks.
// Out: `player:mark` on the player, detail {start, end, severity} in seconds; the same values go
// to inputs marked data-mark="start|end|severity" of the form that data-form names.
// In: clicks on [data-seek="seconds"], a #t=seconds address.
import WaveSurfer from "wavesurfer.js";
import RegionsPlugin from "wavesurfer.js/dist/plugins/regions.esm.js";
import { isTyping, keysOn, meta } from "./page.js";

const SEVERITIES = ["minor", "ordinary", "serious"];
const SHORTEST_MARK = 0.2;

/** Seconds as m:ss, or h:mm:ss. */
function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const seconds = (value) => Math.round(value * 10) / 10;

class Player {
  constructor(box) {
    this.box = box;
    this.audio = box.querySelector("audio");
    this.pending = null;
    this.active = null;
    this.load().catch(() => box.classList.remove("is-ready"));
  }

  async load() {
    const answer = await fetch(this.box.dataset.peaksUrl, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`peaks: ${answer.status}`);
    const { peaks, duration } = await answer.json();
    const style = getComputedStyle(this.box);
    this.box.classList.add("is-ready");
    this.regions = RegionsPlugin.create();
    this.wave = WaveSurfer.create({
      container: this.box.querySelector(".player-wave"),
      media: this.audio,
      peaks: Array.isArray(peaks[0]) ? peaks : [peaks],
      duration,
      height: 96,
      waveColor: style.getPropertyValue("--player-wave").trim(),
      progressColor: style.getPropertyValue("--player-done").trim(),
      cursorColor: style.getPropertyValue("--player-done").trim(),
      cursorWidth: 2,
      barWidth: 2,
      barGap: 1,
      normalize: true,
      dragToSeek: false,
      cspNonce: meta("nonce"),
      plugins: [this.regions],
    });
    this.total = duration;
    this.wave.on("timeupdate", () => this.showTime());
    for (const name of ["play", "pause", "finish"]) this.wave.on(name, () => this.showPlaying());
    this.showTime();
    this.wave.once("ready", () => this.start());
  }

  start() {
    for (const mark of JSON.parse(this.box.dataset.marks || "[]")) {
      this.draw(mark.start, mark.end, mark.severity, false, mark.label);
    }
    if (this.box.dataset.form) this.regions.enableDragSelection({ color: this.color("ordinary") });
    this.regions.on("region-created", (region) => {
      if (!this.drawing) this.adopt(region);
    });
    this.regions.on("region-updated", (region) => this.adopt(region));
    this.regions.on("region-clicked", (region, event) => {
      event.stopPropagation();
      this.seek(region.start);
      this.wave.play();
    });
    this.box.addEventListener("click", (event) => this.button(event));
    this.box.querySelector("[data-rate]")?.addEventListener("change", (event) => {
      this.wave.setPlaybackRate(Number(event.target.value), true);
    });
    const from = /^#t=([\d.]+)$/.exec(window.location.hash);
    if (from) this.seek(Number(from[1]));
  }

  color(severity) {
    const level = SEVERITIES.indexOf(severity) + 1 || 2;
    return getComputedStyle(this.box).getPropertyValue(`--player-mark-${level}`).trim();
  }

  draw(start, end, severity, movable, content = undefined) {
    this.drawing = true;
    const options = { start, end, color: this.color(severity), drag: movable, resize: movable };
    const region = this.regions.addRegion({ ...options, content });
    this.drawing = false;
    region.severity = severity;
    return region;
  }

  /** A mark the person made: there is one at a time until the form is sent. */
  adopt(region) {
    if (this.active && this.active !== region) this.active.remove();
    this.active = region;
    region.severity ??= "ordinary";
    this.tell();
  }

  mark() {
    if (!this.box.dataset.form) return;
    const at = this.wave.getCurrentTime();
    if (this.pending === null) {
      this.pending = at;
    } else {
      const [start, end] = [Math.min(this.pending, at), Math.max(this.pending, at)];
      this.pending = null;
      this.adopt(this.draw(start, Math.max(end, start + SHORTEST_MARK), "ordinary", true));
    }
    const button = this.box.querySelector("[data-action=mark]");
    button?.setAttribute("aria-pressed", String(this.pending !== null));
  }

  grade(severity) {
    if (!this.active) return;
    this.active.severity = severity;
    this.active.setOptions({ color: this.color(severity) });
    this.tell();
  }

  tell() {
    const { severity } = this.active;
    const detail = { start: seconds(this.active.start), end: seconds(this.active.end), severity };
    const form = this.box.dataset.form && document.querySelector(this.box.dataset.form);
    for (const [key, value] of form ? Object.entries(detail) : []) {
      for (const input of form.querySelectorAll(`[data-mark="${key}"]`)) {
        if (input.type === "radio") input.checked = input.value === value;
        else input.value = value;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    }
    this.box.dispatchEvent(new CustomEvent("player:mark", { detail, bubbles: true }));
  }

  /**
   * Go to a second of the recording. Once its length is known this is the element's own matter:
   * what WaveSurfer is asked while an earlier seek still runs, it forgets when that one ends.
   */
  seek(to) {
    const time = Math.min(Math.max(0, to), this.total);
    if (this.audio.readyState >= HTMLMediaElement.HAVE_METADATA) this.audio.currentTime = time;
    else this.wave.setTime(time);
  }

  skip(by) {
    this.seek(this.wave.getCurrentTime() + by);
  }

  button(event) {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (action) this.act(action);
  }

  act(action) {
    if (action === "play") this.wave.playPause();
    else if (action === "back") this.skip(-5);
    else if (action === "forward") this.skip(5);
    else if (action === "mark") this.mark();
  }

  key(event) {
    const key = event.key.toLowerCase();
    const action = { " ": "play", j: "back", l: "forward", m: "mark" }[key];
    if (key === " " && event.target.closest("button, a, summary")) return;
    if (action) this.act(action);
    else if (/^[123]$/.test(key)) this.grade(SEVERITIES[Number(key) - 1]);
    else return;
    event.preventDefault();
  }

  showTime() {
    const now = this.box.querySelector("[data-now]");
    if (now) now.textContent = `${clock(this.wave.getCurrentTime())} / ${clock(this.total)}`;
  }

  showPlaying() {
    const button = this.box.querySelector("[data-action=play]");
    if (!button) return;
    const playing = this.wave.isPlaying();
    button.querySelector("[data-when=paused]").hidden = playing;
    button.querySelector("[data-when=playing]").hidden = !playing;
  }
}

const players = [...document.querySelectorAll("[data-player]")].map((box) => new Player(box));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (!keysOn()) return;
  if (players[0]?.wave) players[0].key(event);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-seek]");
  if (!link || !players[0]?.wave) return;
  event.preventDefault();
  players[0].seek(Number(link.dataset.seek));
  players[0].wave.play();
});
