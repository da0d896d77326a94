/** Pins what a test must not depend on. */
process.env.TZ = "UTC";
process.env.LC_ALL = "C.UTF-8";
process.env.TF_CPP_MIN_LOG_LEVEL = "2";
