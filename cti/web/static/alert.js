// Title, sound and desktop notification. A notification shows the number masked: others see the screen, and the
// desktop keeps what it showed.
import { signal } from "@preact/signals";
import { t } from "./i18n.js";
import { masked } from "./format.js";

export const soundOn = signal(localStorage.getItem("cti.sound") !== "off");
export const notifyState = signal(
  typeof Notification === "undefined" || !isSecureContext ? "unsupported" : Notification.permission,
);

let audio = null;
let flashing = null;
let note = null;
const TONES = { ringing: [880, 660], pop: [660, 880, 1100], emergency: [1320, 880, 1320, 880, 1320, 880] };

export function toggleSound() {
  soundOn.value = !soundOn.value;
  localStorage.setItem("cti.sound", soundOn.value ? "on" : "off");
  if (soundOn.value) play("pop");
}

export async function askNotify() {
  notifyState.value = await Notification.requestPermission(); // only ever on a click
}

export function announce(kind, ticket) {
  if (soundOn.value) play(kind);
  if (kind !== "pop") return;
  flash();
  if (notifyState.value === "granted" && document.hidden) {
    note?.close();
    note = new Notification(t("pop.notify"), { body: masked(ticket.caller), tag: "cti-pop", requireInteraction: true });
    note.onclick = () => window.focus();
  }
}

function play(kind) {
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume();
  TONES[kind].forEach((frequency, index) => {
    const start = audio.currentTime + index * 0.14;
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0.0001, start);
    gain.gain.exponentialRampToValueAtTime(0.18, start + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.13);
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.14);
  });
}

function flash() {
  clearInterval(flashing);
  if (!document.hidden) return;
  const title = document.title;
  let on = false;
  flashing = setInterval(() => (document.title = (on = !on) ? t("pop.title") : title), 700);
  document.addEventListener(
    "visibilitychange",
    () => {
      clearInterval(flashing);
      document.title = title;
      note?.close();
    },
    { once: true },
  );
}
