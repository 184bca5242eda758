//! Placeholder until the C-ABI check is written.
fn main() {}
