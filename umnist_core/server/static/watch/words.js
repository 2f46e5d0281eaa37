/** How the panel beside a model says things. No DOM. */

/** What `PeopleData` is called among the choices of what stands beside a model. */
export const PEOPLE = "people";

/**
 * @param {number} seconds
 * @returns {string}
 */
export function secondsText(seconds) {
  if (seconds < 0.1) return "under 0.1 s";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/**
 * @param {number} bytes
 * @returns {string} In decimal units.
 */
export function bytesText(bytes) {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/**
 * @param {number} share 0 to 1
 * @returns {string}
 */
export function percentText(share) {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.1) return "under 0.1 %";
  return `${percent < 9.95 ? Number(percent.toFixed(1)) : Math.round(percent)} %`;
}

/**
 * @param {number} confidence 0 to 1
 * @param {boolean} isCalibrated
 * @returns {string} Never rounded to certainty.
 */
export function confidenceText(confidence, isCalibrated) {
  const percent =
    confidence > 0.995
      ? `${Math.min(99.9, 100 * confidence).toFixed(1)} %`
      : percentText(confidence);
  return `${percent} sure${isCalibrated ? "" : ", not calibrated"}`;
}

/**
 * @param {(number|string)[]} classes
 * @returns {string}
 */
export function setText(classes) {
  return classes.length ? classes.join(", ") : "none";
}

/**
 * Answers by their names, where the model's classes have any.
 *
 * @param {number[]} classes
 * @param {string[]} [names] Of the classes, by their numbers.
 * @returns {string}
 */
export function answerText(classes, names) {
  return names ? setText(classes.map((one) => names[one] ?? one)) : setText(classes);
}

/**
 * Where a job is.
 *
 * @param {import("./runner.js").Job|null} job null until the server knows of it.
 * @param {string} model Of the registry; its steps are called after it.
 * @returns {string}
 */
export function progressText(job, model) {
  const about = job?.estimate_s ? `about ${secondsText(Math.max(job.estimate_s, 1))}` : null;
  const parts = (first) => [first, about].filter(Boolean).join(", ");
  if (!job) return "Asking";
  if (job.state === "waiting") return parts(job.queue ? `${job.queue} before you` : "Next");
  if (job.state === "loading") return parts("Loading the model");
  const { progress } = job;
  if (!progress?.total) return parts("Looking");
  const step = model.startsWith("ips") ? "Round" : "Part";
  return parts(`${step} ${Math.min(progress.done + 1, progress.total)} of ${progress.total}`);
}

/** What a task asks, where its name alone does not say it. */
const ASKED = {
  majority: "the digit that is there most often",
  max: "the largest digit",
  top: "the topmost digit",
  multi: "all digits that are there",
  needle: "whether there is a 3",
};

/**
 * @param {string} task
 * @returns {string} What it asks; empty where its name says it.
 */
export function askedText(task) {
  return ASKED[task] ?? "";
}

/**
 * Whether an answer is right, in a few words.
 *
 * @param {import("./outcome.js").TaskResult} task
 * @param {string[]} [names] Of the classes, by their numbers.
 * @returns {string} Empty where the truth is not known.
 */
export function verdictText(task, names) {
  const { name, is_multi: isMulti, is_right: isRight, truth, classes, answer } = task;
  if (isRight === null || truth === null) return "";
  if (isRight) return "Right";
  if (classes === 0) return `It is ${truth[0]}, ${Math.abs(truth[0] - answer[0])} off`;
  if (isMulti) return `Wrong: they are ${setText(truth)}`;
  return `Wrong: ${name === "sum" ? "the sum" : "it"} is ${answerText(truth, names)}`;
}

/**
 * Attention against where people looked.
 *
 * @param {import("./places.js").Agreement} agreement
 * @param {number} answers How many people's answers that is the mean of.
 * @returns {string}
 */
export function agreementText({ similarity, correlation }, answers) {
  const people = answers === 1 ? "1 answer" : `${answers.toLocaleString("en")} answers`;
  const both = correlation === null ? "" : `, correlation ${correlation.toFixed(2)}`;
  return `With where people looked in ${people}: similarity ${similarity.toFixed(2)}${both}.`;
}
