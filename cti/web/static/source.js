// The event stream with resume. Runs in the shared worker, or in the page where there is none.
const SILENT_MS = 12000; // the service sends a board at least every 5 s
const LONGEST_RETRY_MS = 5000;

export function connect(tell) {
  let source = null;
  let last = "";
  let waiting = null;
  let watchdog = null;
  let delay = 250;
  let stopped = false;

  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(lost, SILENT_MS);
    delay = 250;
  };

  const open = () => {
    if (stopped) return;
    source = new EventSource(`/api/v1/stream${last ? `?after=${last}` : ""}`);
    for (const kind of ["hello", "board", "pop"]) {
      source.addEventListener(kind, (event) => {
        alive();
        if (event.lastEventId) last = event.lastEventId;
        tell({ kind, data: JSON.parse(event.data) });
      });
    }
    source.onerror = lost;
    clearTimeout(watchdog);
    watchdog = setTimeout(lost, SILENT_MS);
  };

  // The browser's own reconnect gives up on some answers and never says why; we ask, and try again ourselves.
  async function lost() {
    if (stopped) return;
    source.close();
    clearTimeout(watchdog);
    clearTimeout(waiting);
    tell({ kind: "lost" });
    waiting = setTimeout(async () => {
      if (await loggedOut()) tell({ kind: "logged_out" });
      else open();
    }, delay);
    delay = Math.min(delay * 2, LONGEST_RETRY_MS);
  }

  open();
  return () => {
    stopped = true;
    clearTimeout(watchdog);
    clearTimeout(waiting);
    source.close();
  };
}

async function loggedOut() {
  try {
    return (await fetch("/api/v1/me", { cache: "no-store" })).status === 401;
  } catch {
    return false; // the service is away: keep trying
  }
}
