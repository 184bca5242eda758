//! Who answers whom: no link is wrong, and no page is ours, whatever two
//! honest ends do and whatever a capture loses of it.
#![no_main]

#[allow(dead_code)] // The tests use more of it.
#[path = "../../tests/simulator.rs"]
mod simulator;

use libfuzzer_sys::fuzz_target;
use mcas_fuzz::knobs;
use simulator::{judge, Loss, Numbers, World};

fuzz_target!(|data: &[u8]| {
    let Some((bytes, [what, lost])) = knobs::<2>(data) else { return };
    let mut numbers = Numbers::given(bytes);
    let world = World::new(&mut numbers);
    let loss = Loss {
        lost: u64::from(lost) * 1000,
        disorder: what & 1 != 0,
        cut: what & 2 != 0,
    };
    let captured = world.capture(&mut numbers, loss);
    let score = judge(&world, &captured);
    assert_eq!((score.wrong, score.pages), (0, 0), "{score:?}");
    if lost == 0 && what & 3 == 0 {
        assert_eq!(score.found, score.possible, "{score:?}");
    }
});
