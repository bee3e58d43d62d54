//! From labels to the one emotion to act on, and to arousal and dominance.

use whisperengine_types::{Emotion, PrimaryEmotion};

/// What each label means for a companion.
pub(crate) struct Anchor {
    pub(crate) primary: PrimaryEmotion,
}

const fn anchor(primary: PrimaryEmotion) -> Anchor {
    Anchor { primary }
}

/// By label id.
pub(crate) static ANCHORS: [Anchor; Emotion::COUNT] = {
    use PrimaryEmotion as P;
    [
        anchor(P::Pride),      // admiration
        anchor(P::Joy),        // amusement
        anchor(P::Anger),      // anger
        anchor(P::Anger),      // annoyance
        anchor(P::Joy),        // approval
        anchor(P::Love),       // caring
        anchor(P::Surprise),   // confusion
        anchor(P::Surprise),   // curiosity
        anchor(P::Excitement), // desire
        anchor(P::Sadness),    // disappointment
        anchor(P::Anger),      // disapproval
        anchor(P::Disgust),    // disgust
        anchor(P::Shame),      // embarrassment
        anchor(P::Excitement), // excitement
        anchor(P::Fear),       // fear
        anchor(P::Gratitude),  // gratitude
        anchor(P::Sadness),    // grief
        anchor(P::Joy),        // joy
        anchor(P::Love),       // love
        anchor(P::Fear),       // nervousness
        anchor(P::Joy),        // optimism
        anchor(P::Pride),      // pride
        anchor(P::Surprise),   // realization
        anchor(P::Calm),       // relief
        anchor(P::Shame),      // remorse
        anchor(P::Sadness),    // sadness
        anchor(P::Surprise),   // surprise
        anchor(P::Neutral),    // neutral
    ]
};

/// The labels that mean each primary emotion, as bits.
pub(crate) static LABELS: [u32; PrimaryEmotion::COUNT] = {
    let mut labels = [0; PrimaryEmotion::COUNT];
    let mut label = 0;
    while label < Emotion::COUNT {
        labels[ANCHORS[label].primary as usize] |= 1 << label;
        label += 1;
    }
    labels
};

/// How much in control a primary emotion leaves one, `0..=1`, in the order of the emotions.
pub(crate) const DOMINANCE: [f32; PrimaryEmotion::COUNT] = [
    0.62, 0.22, 0.58, 0.22, 0.45, 0.45, 0.58, 0.55, 0.70, 0.25, 0.62, 0.58, 0.50,
];

/// The label nearest to a primary emotion.
pub(crate) fn label_of(emotion: PrimaryEmotion) -> Emotion {
    use PrimaryEmotion as P;
    match emotion {
        P::Joy => Emotion::Joy,
        P::Sadness => Emotion::Sadness,
        P::Anger => Emotion::Anger,
        P::Fear => Emotion::Fear,
        P::Surprise => Emotion::Surprise,
        P::Disgust => Emotion::Disgust,
        P::Love => Emotion::Love,
        P::Gratitude => Emotion::Gratitude,
        P::Pride => Emotion::Pride,
        P::Shame => Emotion::Embarrassment,
        P::Excitement => Emotion::Excitement,
        P::Calm => Emotion::Relief,
        P::Neutral => Emotion::Neutral,
    }
}

/// Words that name an emotion outright, for the primary emotion and the triggers. Whole words only.
pub(crate) const CUES: &[(PrimaryEmotion, &str)] = {
    use PrimaryEmotion as P;
    &[
        (
            P::Joy,
            "happy happily happiness glad gladly joy joyful joyous joyfully delighted cheerful \
             cheery overjoyed elated amused hilarious haha hahaha lol lmao rofl merry",
        ),
        (
            P::Sadness,
            "sad sadly sadness unhappy depressed depressing heartbroken miserable grief grieving mourning \
             sorrow lonely crying cried tears disappointed disappointing gloomy devastated hopeless",
        ),
        (
            P::Anger,
            "angry angrily anger furious fury mad enraged outraged rage raging pissed livid annoyed annoying \
             irritated irritating frustrated frustrating infuriating infuriated",
        ),
        (
            P::Fear,
            "afraid scared scary fear fearful terrified terrifying frightened frightening anxious anxiety nervous \
             worried worrying panic panicking dread",
        ),
        (
            P::Surprise,
            "surprised surprising surprise shocked shocking astonished astonishing amazed stunned unexpected wow \
             omg",
        ),
        (
            P::Disgust,
            "disgusted disgusting disgust gross nasty revolting repulsive sickening vile yuck ew eww",
        ),
        (
            P::Love,
            "love loved loves loving adore adored adores beloved affection cherish cherished",
        ),
        (
            P::Gratitude,
            "thanks thank thankful grateful gratitude appreciate appreciated thx",
        ),
        (P::Pride, "proud proudly pride accomplished"),
        (
            P::Shame,
            "ashamed shame embarrassed embarrassing humiliated humiliating guilty guilt regret remorse",
        ),
        (
            P::Excitement,
            "excited exciting excitement thrilled thrilling stoked hyped pumped ecstatic",
        ),
        (
            P::Calm,
            "calm calmly relaxed relaxing peaceful serene tranquil content relieved relief",
        ),
    ]
};

/// What a denied cue speaks for instead: "not happy" is nearer to sadness than to nothing.
pub(crate) fn opposite(emotion: PrimaryEmotion) -> PrimaryEmotion {
    use PrimaryEmotion as P;
    match emotion {
        P::Joy | P::Pride | P::Excitement => P::Sadness,
        P::Love | P::Gratitude | P::Calm => P::Anger,
        P::Sadness | P::Anger | P::Fear | P::Disgust | P::Shame | P::Surprise | P::Neutral => P::Neutral,
    }
}

/// Whether an emotion is pleasant (`Some(true)`), unpleasant, or either.
pub(crate) fn is_pleasant(emotion: PrimaryEmotion) -> Option<bool> {
    use PrimaryEmotion as P;
    match emotion {
        P::Joy | P::Love | P::Gratitude | P::Pride | P::Excitement | P::Calm => Some(true),
        P::Sadness | P::Anger | P::Fear | P::Disgust | P::Shame => Some(false),
        P::Surprise | P::Neutral => None,
    }
}
