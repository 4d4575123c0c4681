// Durations, moments and numbers as text. Moments are shown in the hotline's zone, wherever the screen stands.
import { me } from "./model.js";

export const DAY_MS = 86_400_000;

const two = (value) => String(value).padStart(2, "0");

export function clockText(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(s / 3600);
  const rest = `${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

export const seconds = (ms) => (ms === null || ms === undefined ? "–" : `${(ms / 1000).toFixed(1)} s`);

export const percent = (share) =>
  share === null || share === undefined ? "–" : share === 1 ? "100" : (Math.floor(share * 1000) / 10).toFixed(1);

function inZone(iso, options) {
  if (!iso) return "–";
  return new Intl.DateTimeFormat("zh-CN", { timeZone: me.value?.zone, hourCycle: "h23", ...options }).format(new Date(iso));
}

export const timeOf = (iso) => inZone(iso, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const clockTime = (iso) => inZone(iso, { hour: "2-digit", minute: "2-digit" });

export const exactTime = (iso) =>
  inZone(iso, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

export const dayTime = (iso) => inZone(iso, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });

export function phone(number) {
  if (/^1\d{10}$/.test(number)) return `${number.slice(0, 3)} ${number.slice(3, 7)} ${number.slice(7)}`;
  return number;
}

export const masked = (number) => (number.length >= 9 ? `${number.slice(0, 3)}****${number.slice(-4)}` : "****");
