//! Nothing to use: the programs are in `examples`, and their tests in `tests`.
