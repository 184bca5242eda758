//! Wall time of the core and of its peers: `cargo bench` in this folder.

use divan::{black_box, Bencher};
use mcas_bench::rows;

fn main() {
    divan::main();
}

fn names() -> Vec<&'static str> {
    rows().into_iter().map(|(name, _)| name).collect()
}

#[divan::bench(args = names())]
fn core(bencher: Bencher, name: &str) {
    let rows = rows();
    let (_, work) = rows.iter().find(|row| row.0 == name).expect("a row");
    bencher.bench_local(|| black_box(work()));
}
