//! What the messages of a person so far amount to, and what of it to leave alone.

use whisperengine_types::{MemoryCluster, MemoryInsights};

use crate::{
    emotional::EmotionalContext,
    lexicon::{Lexicon, Themes},
    state::UserState,
    thread::Scope,
};

/// Topics, patterns and groups named at most.
const NAMED: usize = 3;
/// Unpleasant messages on a subject from which it hurts.
const HURTS: usize = 2;
/// Intensity from which a moment is a low one.
const LOW: f32 = 0.5;

/// What the messages so far amount to, as far as it may be known in `here`.
pub(crate) fn insights(state: &UserState, lexicon: &Lexicon, here: Scope) -> MemoryInsights {
    let mut insights = MemoryInsights {
        important_topics: state.engagement.interests.words(here, NAMED),
        ..MemoryInsights::default()
    };
    insights
        .important_topics
        .retain(|topic| !state.boundaries.cover(lexicon, topic));
    // Patterns are drawn from all talks and keep no record of who heard them.
    if here == Scope::Private {
        let groups = state.moments.groups();
        let tied: u32 = groups.iter().map(|(_, messages)| messages).sum();
        insights.network_strength = crate::number::unit(tied as f32 / state.turns.max(1) as f32);
        insights.clusters = groups
            .into_iter()
            .take(NAMED)
            .map(|(topic, messages)| MemoryCluster {
                topic: topic.name().to_owned(),
                messages,
                memories: state.moments.representatives(topic, NAMED),
                every_days: topic.every_days(),
            })
            .collect();
        insights.patterns = state.emotional.lasting_patterns(NAMED);
    }
    insights
}

/// What not to bring up unasked: what was refused and, in a low moment, what hurt lately and is not the
/// subject now.
pub(crate) fn avoid(state: &UserState, emotion: &EmotionalContext, now: Themes, here: Scope) -> Vec<String> {
    let mut avoided: Vec<String> = state.boundaries.names(here).map(str::to_owned).collect();
    if emotion.is_unpleasant() && emotion.intensity >= LOW && here == Scope::Private {
        let sore = state.emotional.sore_subjects(HURTS).iter();
        let other = sore.filter(|&theme| !now.contains(theme));
        avoided.extend(other.map(|theme| theme.name().to_owned()));
    }
    avoided
}
