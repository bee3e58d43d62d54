mod support;
use std::time::Instant;
use support::*;
use whisperengine_types::*;
#[test]
#[ignore]
fn probe() {
    let folder = tempfile::tempdir_in(std::env::var("PROBE").unwrap()).unwrap();
    let emb = std::sync::Arc::new(WordEmbedder::new(256));
    let memory =
        whisperengine_vector_memory::VectorMemory::open(folder.path(), emb, Default::default()).unwrap();
    for group in [1usize, 8, 64, 256] {
        let t = Instant::now();
        let mut n = 0;
        while t.elapsed().as_secs_f32() < 2.0 {
            let ops: Vec<WriteOp> = (0..group)
                .map(|i| WriteOp::Store {
                    owner: person(&format!("u{}", (n + i) % 1000)),
                    record: std::sync::Arc::new(record(
                        &format!("m{}", n + i),
                        "I went to the lake yesterday with my sister and we painted the sunset together",
                    )),
                })
                .collect();
            for r in memory.commit(&ops) {
                r.unwrap();
            }
            n += group;
        }
        println!("group {group}: {:.0}/s", n as f32 / t.elapsed().as_secs_f32());
    }
    let m = memory.owner(&person("u1"));
    let q = RecallQuery::new("Who painted the sunset at the lake?", 10, at(0));
    println!("{:?} {}", m.stats(), m.recall(&q).unwrap().memories.len());
}
