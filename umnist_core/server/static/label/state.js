/**
 * What the server tells the page, and what follows from it here. No DOM.
 *
 * @typedef {object} Image
 * @property {string} dzi Its address, used as it stands.
 * @property {number} width px
 * @property {number} height
 * @property {{tileSize: number, overlap: number, format: string}} tiles
 *
 * @typedef {{assignment: string, number: number, image: Image}} Trial
 * @typedef {{id: string, number: number, image: Image}} Practice
 * @typedef {Trial & {answer: number, confidence: number|null, digits: number[]|null,
 *            changes_left: number, boxes: import("../boxes/drawing.js").Box[]|null}} Previous
 * @typedef {{places: number, open: number}} Held Answers that are still wanted of images that
 *   this person has not answered; those for which somebody has the image open.
 * @typedef {{sizes_px: [number, number]|null, digit_counts: [number, number]|null, sheet: Image,
 *            image_px: number}} Guide Of digits; null where nobody knows. `image_px`: longest side
 *   of the study's images.
 * @typedef {{confidence: boolean, digits: boolean, boxes: boolean, change: boolean, min: number, max: number,
 *            required: {confidence: boolean, digits: boolean}, practised: boolean}} Ask
 *   `required`: what an answer must have; `practised`: whether practice asks for them too.
 *
 * @typedef {object} Question
 * @property {string} name
 * @property {"choice"|"many"|"number"|"scale"|"text"} kind
 * @property {string} text
 * @property {boolean} required
 * @property {string[]} options
 * @property {number|null} low
 * @property {number|null} high
 * @property {string} low_label
 * @property {string} high_label
 * @property {boolean} whole
 *
 * @typedef {{id: string, number: number, total: number, title: string, text: string,
 *            questions: Question[]}} QuestionPage
 * @typedef {{questions: {text: string, options: string[]}[], tries_left: number,
 *            wrong: string[]}} Gate `wrong`: questions that were not answered right.
 *
 * @typedef {object} Asked What is asked beside images.
 * @property {QuestionPage|null} page
 * @property {Gate|null} gate
 * @property {{every: number, left_s: number}} rest Images between breaks, 0 for none.
 * @property {{version: number, is_amended: boolean}} consent
 * @property {{withdraw: boolean, erase: boolean}} leave What a person may still do.
 * @property {string|null} debriefing
 *
 * @typedef {"complete"|"quota_full"|"screened_out"|"ended_early"|"withdrawn"} Outcome
 * @typedef {{done: number, total: number, practice_done: number, practice_total: number}} Progress
 *
 * @typedef {object} Standing What a state says in every phase.
 * @property {{id: string, name: string}} study
 * @property {"invited"|"simulated"|"own"} origin
 * @property {{feedback: boolean, summary: Summary|null}|null} self In a study of oneself: whether
 *   answers are told, and what came out once it is over.
 * @property {{consent: string, instructions: string, question: string}} texts
 * @property {Guide|null} guide
 * @property {Ask} ask
 * @property {Asked} asked
 * @property {Progress} progress
 * @property {Practice|null} practice
 * @property {Trial|null} trial
 * @property {Trial|null} next Reserved already.
 * @property {Previous|null} previous May be changed, `changes_left` times.
 * @property {string|null} code
 * @property {import("./leave.js").Leave|null} leave Where somebody is sent whose part is over.
 * @property {import("./gate.js").Gate|null} gate What a device must be.
 * @property {string|null} link
 *
 * @typedef {Standing & {phase: "held", held: Held, outcome: null}} HeldState `held`: what is
 *   waited for.
 * @typedef {Standing & {phase: "done", held: null, outcome: Outcome}} DoneState
 * @typedef {Standing & {phase: "consent"|"questions"|"instructions"|"gate"|"practice"|
 *            "trial"|"break"|"paused",
 *            held: null, outcome: null}} OpenState
 * @typedef {HeldState|DoneState|OpenState} State
 *
 * @typedef {object} FoundDigit Of a practice image.
 * @property {number} label
 * @property {{x: number, y: number, width: number, height: number}} box canvas px
 * @property {number} side canvas px
 *
 * @typedef {{correct: boolean}} Verdict For those who are told no more.
 * @typedef {{correct: boolean, answer: number, sum: number, digits: FoundDigit[]}} Solution
 * @typedef {{feedback: Verdict|Solution, state: State}} PracticeReply
 * @typedef {{answered: number, right: number, reasons: Record<string, number>}} Summary Of a study
 *   of oneself; `reasons`: why the wrong answers were wrong, and how many each.
 * @typedef {{saved: true, key: string, counted: boolean, feedback?: Solution, state: State}}
 *   SavedReply With feedback in a study of oneself that gives it.
 */

/**
 * What to work on, given what has been answered here and is not known to the server yet.
 *
 * @param {State} state
 * @param {Set<string>} answered Assignments.
 * @returns {{trial: Trial|null, next: Trial|null}} No trial: the answers must be sent first.
 */
export function openTrial(state, answered) {
  const every = state.asked.rest.every;
  const { trial } = state;
  // A break lies behind it, which the server has to know of before the next.
  const isBreak = every > 0 && trial !== null && trial.number % every === 0;
  if (isBreak && answered.has(trial.assignment)) return { trial: null, next: null };
  const known = [state.trial, state.next].filter((one) => one !== null);
  const open = known.filter(({ assignment }) => !answered.has(assignment));
  return { trial: open[0] ?? null, next: open[1] ?? null };
}

/**
 * @param {number[]} digits
 * @returns {number}
 */
export function sumOfDigits(digits) {
  return digits.reduce((sum, digit) => sum + digit, 0);
}
