// Days of the hotline's own calendar, as "2026-11-21", wherever the screen stands.
import { computed, signal } from "@preact/signals";
import { DAY_MS } from "./format.js";
import { language } from "./i18n.js";
import { me, now } from "./model.js";

const asUtc = (day) => Date.parse(`${day}T00:00:00Z`);

export const dayOf = (moment) => new Intl.DateTimeFormat("en-CA", { timeZone: me.value?.zone }).format(new Date(moment));
export const addDays = (day, n) => new Date(asUtc(day) + n * DAY_MS).toISOString().slice(0, 10);
export const mondayOf = (day) => addDays(day, -((new Date(asUtc(day)).getUTCDay() + 6) % 7));

export const dayName = (day) =>
  new Intl.DateTimeFormat(language.value === "en" ? "en-GB" : "zh-CN", { timeZone: "UTC", weekday: "short" }).format(asUtc(day));

// The first and the last local day of a shift; one that ends at midnight does not reach into the next day.
export const daysOf = (shift) => [dayOf(shift.starts_at), dayOf(Date.parse(shift.ends_at) - 1)];

export const today = computed(() => dayOf(now.value)); // changes once a day, not with every second
export const week = signal(null); // its Monday
export const weekDays = () => [0, 1, 2, 3, 4, 5, 6].map((n) => addDays(week.value, n));
