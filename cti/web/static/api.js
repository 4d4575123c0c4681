// Requests. Every unsafe one carries the header that a foreign form cannot set.
export async function ask(method, path, body, headers = {}) {
  const options = { method, cache: "no-store", headers: { ...headers } };
  if (method !== "GET") options.headers["X-CTI-Request"] = "page";
  if (body instanceof Blob) {
    options.headers["Content-Type"] = body.type;
    options.body = body;
  } else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  try {
    const answer = await fetch(`/api/v1${path}`, options);
    const text = await answer.text();
    const value = text ? JSON.parse(text) : null;
    if (answer.ok) return { ok: true, status: answer.status, value };
    return { ok: false, status: answer.status, problem: { ...value, retry: answer.headers.get("Retry-After") } };
  } catch {
    return { ok: false, status: 0, problem: { code: "network" } };
  }
}
