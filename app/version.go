package app

// Version is the version of the program. It equals the one in FyneApp.toml.
const Version = "0.1.0"
