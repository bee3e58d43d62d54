//! Checks, after a crash, that every acknowledged turn is there exactly once.

use std::{collections::HashMap, error::Error, path::Path};

use whisperengine::{BotId, MemoryId, UserId, WhisperEngine};
use whisperengine_examples::input;

/// Reads the acknowledged turns of `acks` and looks each up in every data folder under `data`.
///
/// # Errors
/// When one is missing, changed, or there twice.
pub async fn verify(data: &Path, acks: &Path) -> Result<(), Box<dyn Error>> {
    let mut acknowledged: HashMap<(UserId, MemoryId), (String, u32)> = HashMap::new();
    let mut lines = input::lines(acks)?;
    // The crash may have cut the last line short; a turn that was not written down counts for nothing.
    if lines
        .last()
        .is_some_and(|line| serde_json::from_str::<(UserId, MemoryId, String)>(line).is_err())
    {
        lines.pop();
    }
    for line in &lines {
        let (user, turn, text): (UserId, MemoryId, String) = serde_json::from_str(line)?;
        acknowledged.insert((user, turn), (text, 0));
    }
    let users: std::collections::BTreeSet<UserId> =
        acknowledged.keys().map(|(user, _)| user.clone()).collect();
    let mut changed = 0;
    for entry in std::fs::read_dir(data)? {
        let engine = WhisperEngine::builder().data_dir(entry?.path()).build()?;
        for user in &users {
            let owner = engine.owner(BotId::new("ember")?, user.clone());
            let mut after: Option<MemoryId> = None;
            loop {
                let page = owner.memories(after.as_ref(), PAGE).await?;
                for record in &page {
                    if let Some((text, found)) = acknowledged.get_mut(&(user.clone(), record.id.clone())) {
                        *found += 1;
                        changed += u32::from(*text != record.text);
                    }
                }
                match page.last() {
                    Some(last) if page.len() == PAGE => after = Some(last.id.clone()),
                    _ => break,
                }
            }
        }
    }
    let lost = acknowledged.values().filter(|(_, found)| *found == 0).count();
    let doubled = acknowledged.values().filter(|(_, found)| *found > 1).count();
    println!(
        "acknowledged {}, lost {lost}, twice {doubled}, changed {changed}",
        acknowledged.len()
    );
    if lost + doubled > 0 || changed > 0 {
        return Err("acknowledged turns are not all there exactly once".into());
    }
    Ok(())
}

const PAGE: usize = 1024;
