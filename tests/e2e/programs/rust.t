#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A Rust program built with cargo: cargo and rustc run on our allocator while they build it,
# and the program itself does as well (its System allocator is malloc).
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
tap_need cargo rustc

mkdir -p "$tmp/crate/src"
cat >"$tmp/crate/Cargo.toml" <<'TOML'
[package]
name = "boxes"
version = "0.1.0"
edition = "2021"
TOML
cat >"$tmp/crate/src/main.rs" <<'RUST'
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

#[repr(align(256))]
struct Wide([u64; 4]);

enum Tree {
    Leaf,
    Node(Box<Tree>, u64, Box<Tree>),
}

fn tree(depth: u32, n: u64) -> Tree {
    if depth == 0 {
        return Tree::Leaf;
    }
    Tree::Node(Box::new(tree(depth - 1, n * 2)), n, Box::new(tree(depth - 1, n * 2 + 1)))
}

fn sum(t: &Tree) -> u64 {
    match t {
        Tree::Leaf => 0,
        Tree::Node(l, n, r) => sum(l).wrapping_add(*n).wrapping_add(sum(r)),
    }
}

fn main() {
    let (to, from) = mpsc::channel::<(usize, HashMap<String, Vec<u32>>)>();
    let log = Arc::new(Mutex::new(BTreeMap::new()));
    let workers: Vec<_> = (0..4usize)
        .map(|id| {
            let (to, log) = (to.clone(), Arc::clone(&log));
            thread::spawn(move || {
                for round in 0..200u32 {
                    let mut map = HashMap::new();
                    for i in 0..100u32 {
                        map.entry(format!("key-{}", i % 17)).or_insert_with(Vec::new).push(i * round);
                    }
                    log.lock().unwrap().insert((id, round), "x".repeat((round as usize * 7) % 500));
                    to.send((id, map)).unwrap();
                }
            })
        })
        .collect();
    drop(to);
    let mut totals = [0u64; 4];
    for (id, map) in from {
        totals[id] += map.values().flatten().map(|&n| u64::from(n)).sum::<u64>();
    }
    for worker in workers {
        worker.join().unwrap();
    }
    println!("{:?} {}", totals, log.lock().unwrap().values().map(String::len).sum::<usize>());
    println!("{}", sum(&tree(16, 1)));
    let mut wides: VecDeque<Box<Wide>> = VecDeque::new();
    for i in 0..5000u64 {
        wides.push_back(Box::new(Wide([i; 4])));
        if i % 3 == 0 {
            wides.pop_front();
        }
    }
    assert!(wides.iter().all(|w| w.0.as_ptr() as usize % 256 == 0));
    println!("{} {}", wides.len(), wides.iter().map(|w| w.0[1]).sum::<u64>());
    let mut grown = vec![0u8; 10];
    for n in 1..300usize {
        grown.resize(n * n * 10, n as u8);
        grown.shrink_to_fit();
    }
    println!("{} {:?}", grown.len(), std::panic::catch_unwind(|| "é".repeat(3)).unwrap());
}
RUST
export CARGO_HOME=${CARGO_HOME:-${HOME}/.cargo} CARGO_TARGET_DIR=$tmp/target CARGO_NET_OFFLINE=true
tap_ok "cargo builds on libhakmem.so" on hakmem cargo build --quiet --release --offline --manifest-path "$tmp/crate/Cargo.toml"
cp "$tmp/target/release/boxes" "$tmp/boxes" || tap_note "no program"
tap_ok "cargo builds without it" on plain cargo build --quiet --release --offline --manifest-path "$tmp/crate/Cargo.toml"
tap_ok "both builds are the same program" cmp "$tmp/boxes" "$tmp/target/release/boxes"
same "the Rust program" "$tmp/boxes"
served boxes "$tmp/boxes"
tap_done
