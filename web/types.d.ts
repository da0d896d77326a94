declare module "*.svg?raw" {
  const text: string;
  export default text;
}
declare module "*?worker" {
  const create: { new (options?: { name?: string }): Worker };
  export default create;
}
declare module "*.css";
declare module "plotly.js-cartesian-dist-min";
