//! Turns of many people at once, on all cores; the turns of one person stay in order.

use std::collections::HashMap;

use rayon::prelude::*;
use whisperengine_types::{ConversationEngine, ConversationError, MemoryOwner, TurnInput, TurnPlan};

use crate::conversations::Conversations;

impl Conversations {
    /// Plans a batch: one result for each input, in the order of the inputs. Inputs of one owner are
    /// planned one after the other in that order, those of different owners in parallel; the plans are
    /// those that single calls would give.
    pub fn plan_batch(&self, inputs: &[TurnInput<'_>]) -> Vec<Result<TurnPlan, ConversationError>> {
        let mut places: HashMap<&MemoryOwner, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (index, input) in inputs.iter().enumerate() {
            let place = *places.entry(input.owner).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Vec::new());
            }
            groups[place].push(index);
        }
        let planned: Vec<_> = groups
            .into_par_iter()
            .flat_map_iter(|group| {
                group
                    .into_iter()
                    .map(|index| (index, self.plan_turn(&inputs[index])))
            })
            .collect();
        let mut results: Vec<_> = inputs.iter().map(|_| None).collect();
        for (index, plan) in planned {
            results[index] = Some(plan);
        }
        results
            .into_iter()
            .map(|plan| plan.expect("every input is in one group"))
            .collect()
    }
}
