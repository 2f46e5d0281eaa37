/** Asking the server. Every failure is one of two: it refused, or it could not be reached. */

import { atHome } from "../hall/home.js";
import { refusalOf, t } from "../hall/words.js";

/** A request hangs no longer than this; what it carried is kept and sent again. */
const PATIENCE_MS = 20_000;

/** The server understood and said no; asking again as it is would not help. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{error?: string, code?: string, said?: string, values?: import("../hall/words.js").Values,
   *          state?: import("./state.js").State}} body
   */
  constructor(status, body) {
    super(refusalOf(body) ?? body.error ?? t("refused.refused", { status: String(status) }));
    this.status = status;
    this.code = body.code ?? "refused";
    this.values = body.values ?? {};
    this.state = body.state ?? null;
  }
}

/** No answer of the server's; it may be asked again. */
export class Unreachable extends Error {
  /**
   * @param {string} sentence
   * @param {number} [retryAfterMs]
   */
  constructor(sentence, retryAfterMs = 0) {
    super(sentence);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * @param {unknown} error What was caught.
 * @returns {string} What it says.
 */
export function sentenceOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {string} url
 * @returns {Promise<any>}
 * @throws {Refusal|Unreachable}
 */
export function getJson(url) {
  return request(url, { headers: { Accept: "application/json" } });
}

/**
 * @param {string} url
 * @param {object} body
 * @returns {Promise<any>} null for an answer without a body
 * @throws {Refusal|Unreachable}
 */
export function postJson(url, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  return request(url, { method: "POST", headers, body: JSON.stringify(body) });
}

/** @returns {string} A random UUID; browsers offer their own only over HTTPS and on loopback. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<any>} What it is, the address says.
 */
async function request(url, options) {
  const { status, text, retryAfter } = await fetched(url, options);
  if (status === 204) return null;
  const body = parsed(text);
  if (status >= 200 && status < 300) {
    // A network that wants a login first answers everything with a page of its own.
    if (body === null) throw new Unreachable(t("unreachable.other"));
    return body;
  }
  if (status >= 500 || status === 429 || status === 408) {
    throw new Unreachable(
      refusalOf(body) ?? body?.error ?? t("unreachable.trouble"),
      1000 * retryAfter,
    );
  }
  throw new Refusal(status, body ?? {});
}

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function fetched(url, options) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const response = await fetch(atHome(url), { ...options, signal, cache: "no-store" });
    const retryAfter = Number(response.headers.get("retry-after")) || 0;
    return { status: response.status, text: await response.text(), retryAfter };
  } catch {
    throw new Unreachable(t(navigator.onLine ? "unreachable.silent" : "unreachable.offline"));
  }
}

/**
 * @param {string} text
 * @returns {Record<string, any>|null} null for anything but an object.
 */
function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
