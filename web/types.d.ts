declare module "*.svg?raw" {
  const text: string;
  export default text;
}
declare module "*?worker" {
  const create: { new (options?: { name?: string }): Worker };
  export default create;
}
declare module "*.css" {
  /** where it is bundled for Node; the page takes it for its effect */
  const text: string;
  export default text;
}
declare module "plotly.js-cartesian-dist-min";
declare module "monaco-editor/base/browser/dom.js";
declare module "monaco-editor/editor/common/model/textModel.js";
declare module "monaco-editor/editor/browser/view.js";
declare module "monaco-editor/editor/browser/widget/codeEditor/codeEditorWidget.js";
