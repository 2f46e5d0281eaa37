/** What esbuild makes of the imports of `one_file/files.js`. */

declare module "*.css" {
  const text: string;
  export default text;
}

declare module "openseadragon" {
  const engine: any;
  export default engine;
}
