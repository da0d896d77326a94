/** What of Monaco registers itself. */
import "monaco-editor/features/bracketMatching/register.js";
import "monaco-editor/features/clipboard/register.js";
import "monaco-editor/features/comment/register.js";
import "monaco-editor/features/find/register.js";
import "monaco-editor/features/linesOperations/register.js";
import "monaco-editor/features/multicursor/register.js";
// the package's own registration of this feature leaves its controller out: nothing would ever be suggested
import "monaco-editor/editor/contrib/suggest/browser/suggestController.js";
import "monaco-editor/features/toggleTabFocusMode/register.js";
import "monaco-editor/features/placeholderText/register.js";
import "monaco-editor/features/wordOperations/register.js";
import "monaco-editor/features/indentation/register.js";
import "monaco-editor/features/cursorUndo/register.js";
import "monaco-editor/features/caretOperations/register.js";
import "monaco-editor/features/contextmenu/register.js";
