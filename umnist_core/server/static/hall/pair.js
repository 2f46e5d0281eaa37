/**
 * Two values, as the type of a pair: an array in brackets alone is one of any length.
 *
 * @template A, B
 * @param {A} first
 * @param {B} second
 * @returns {[A, B]}
 */
export function pair(first, second) {
  return [first, second];
}
