// %% id="one"
const x = 1
x

// %% id="two"
const x = 2

// %% id="uses"
x + 1

// %% id="left"
const left = right + 1

// %% id="right"
const right = left + 1

// %% id="writes"
free = 3

// %% id="owner"
let free = 1

// %% id="fine"
const fine = "runs all the same"
fine
