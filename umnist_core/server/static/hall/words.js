/**
 * What is said to people, in the language that their page came with.
 *
 * The server sends a page of a study with all of its sentences, so none is waited for. Where a
 * page came without any, as those of researchers do, the viewer speaks English (`word`).
 *
 * @typedef {keyof typeof import("../../../labeling/languages/en.json")["sentences"]} Key
 * @typedef {Record<string, unknown>} Values
 * @typedef {string|Record<string, string>} Sentence With a form for each plural category where
 *   `{count}` is in it.
 * @typedef {{language: string, sentences: Record<string, Sentence>}} Words
 */

/** Where the page has them. */
const ELEMENT = "umnist-words";

/** @type {Words|null} */
let words = null;

/** @type {{numbers: Intl.NumberFormat, plurals: Intl.PluralRules}|null} */
let rules = null;

/** @param {Words} given The sentences from now on. */
export function setWords(given) {
  words = given;
  rules = null;
}

/**
 * A sentence of the page's language.
 *
 * @param {Key} key
 * @param {Values} [values] What stands in its places; numbers are written as the language does.
 * @returns {string} The key itself where the page has no such sentence.
 */
export function t(key, values = {}) {
  return hasWord(key) ? said(pageWords().sentences[key], values) : key;
}

/**
 * What the viewer says: in the page's language, or in English on pages without one.
 *
 * @param {Key} key
 * @param {string} english
 * @param {Values} [values]
 * @returns {string}
 */
export function word(key, english, values = {}) {
  return hasWord(key) ? t(key, values) : said(english, values);
}

/**
 * @param {string} key
 * @returns {key is Key} Whether the page has a sentence for it.
 */
export function hasWord(key) {
  return Object.hasOwn(pageWords().sentences, key);
}

/**
 * What a server's refusal is to people: it says by a word or two which it is.
 *
 * @param {{code?: string, said?: string, values?: Values}|null} told
 * @returns {string|null} null where the page has no sentence for it.
 */
export function refusalOf(told) {
  const keys = [`refused.${told?.said}`, `refused.${told?.code}`];
  const key = keys.find(hasWord);
  return key ? t(/** @type {Key} */ (key), told?.values) : null;
}

/**
 * @param {number} value
 * @returns {string} As the page's language writes it.
 */
export function figure(value) {
  return languageRules().numbers.format(value);
}

/**
 * @param {Sentence} sentence
 * @param {Values} values
 */
function said(sentence, values) {
  const text = typeof sentence === "string" ? sentence : formOf(sentence, Number(values.count));
  return text.replace(/\{([a-z_]+)\}/g, (place, name) => {
    const value = values[name];
    if (value === undefined) return place;
    return typeof value === "number" ? figure(value) : String(value);
  });
}

/**
 * @param {Record<string, string>} forms
 * @param {number} count
 */
function formOf(forms, count) {
  return forms[languageRules().plurals.select(count)] ?? forms.other;
}

/** @returns {Words} */
function pageWords() {
  words ??= readWords();
  return words;
}

/** @returns {Words} */
function readWords() {
  const text = globalThis.document?.getElementById(ELEMENT)?.textContent;
  return text ? JSON.parse(text) : { language: "en", sentences: {} };
}

function languageRules() {
  if (!rules) {
    const tag = knownTag(pageWords().language);
    rules = { numbers: new Intl.NumberFormat(tag), plurals: new Intl.PluralRules(tag) };
  }
  return rules;
}

/** @param {string} tag Of a language; one that the browser cannot read is English to it. */
function knownTag(tag) {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "en";
  } catch {
    return "en";
  }
}
