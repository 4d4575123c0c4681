// What the pages know, as signals; live.js keeps them true.
import { computed, signal } from "@preact/signals";

export const me = signal(null);
export const board = signal(null);
export const streamUp = signal(null); // null before the first word
export const streamLostAt = signal(null);
export const newBuild = signal(false);
export const pop = signal(null); // the ticket on the screen
export const calls = signal([]);
export const callbacks = signal([]);
export const now = signal(Date.now());

// An agent's name, as the board has it or an answer that named him: *known* by number.
export const nameOf = (number, known = {}) =>
  known[number] ?? board.value?.agents.find((line) => line.number === number)?.name ?? "";

export const mine = computed(
  () => board.value?.agents.find((line) => line.number === me.value?.person.number) ?? me.value?.state ?? null,
);
