/**
 * The files of a drop or of a choice, each with its path below what was dropped.
 *
 * @typedef {{path: string, file: File}} DroppedFile
 */

/** What a browser gives of a folder at once. */
const MOST_AT_ONCE = 4;

/**
 * All files of a drop, those of folders too. To be called within the event: its entries are gone
 * afterwards.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<DroppedFile[]>}
 */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (entries.every((entry) => entry === null)) return chosenFiles(transfer.files);
  const found = await Promise.all(entries.map((entry) => (entry ? filesOf(entry) : [])));
  return found.flat();
}

/**
 * @param {FileList} files Of an element for files, or for a folder.
 * @returns {DroppedFile[]}
 */
export function chosenFiles(files) {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/**
 * Those that the server takes: no hidden files, nor what other programs leave.
 *
 * @param {DroppedFile[]} files
 * @param {string[]} suffixes With their dots, in small letters.
 */
export function wantedFiles(files, suffixes) {
  return files.filter(({ path }) => {
    const parts = path.split("/");
    if (parts.some((part) => part.startsWith(".") || part === "__MACOSX")) return false;
    return suffixes.some((suffix) => path.toLowerCase().endsWith(suffix));
  });
}

/**
 * Send files to the server.
 *
 * @param {DroppedFile[]} files
 * @param {string} place The address of drops.
 * @param {{signal: AbortSignal, onProgress: (done: number) => void}} options
 * @returns {Promise<{kind: "file"|"folder", path: string}>} What they are there.
 * @throws {Error} With the server's sentence.
 */
export async function sendFiles(files, place, { signal, onProgress }) {
  const { token } = await post(`${place}/begin`, { signal });
  const left = [...files];
  let done = 0;
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const name = next.path.split("/").map(encodeURIComponent).join("/");
      await post(`${place}/${token}/${name}`, { signal, body: next.file });
      done += 1;
      onProgress(done);
    }
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, work));
  return post(`${place}/${token}`, { signal });
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<DroppedFile[]>}
 */
async function filesOf(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const { file } = /** @type {FileSystemFileEntry} */ (entry);
    return [
      { path, file: await new Promise((resolve, reject) => file.call(entry, resolve, reject)) },
    ];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await filesOf(one)));
  }
}

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function post(url, options) {
  let response;
  try {
    response = await fetch(url, { method: "POST", ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Error("The files could not be sent: the server did not answer.");
  }
  if (response.status === 204) return {};
  const value = await response.json().catch(() => ({}));
  if (response.ok) return value;
  throw new Error(
    value.error ?? `The files were not taken: the server answered ${response.status}.`,
  );
}
