// ---
// title: Nothing to run
// author: kept as it is
// ---

// %% [markdown] id="head"
// # Heading
//
// A *paragraph* with `code`, and a line that looks like a marker:
// // %% id="not-a-cell"

// %% [markdown] id="tail"
// - one
// - two
