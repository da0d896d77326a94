// %% id="on"
const on = 1
on

// %% id="off" disabled
const off = on + 1
off

// %% id="waits"
off + 1

// %% id="free"
on + 100
