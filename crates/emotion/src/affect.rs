//! From labels to the one emotion to act on, and to arousal and dominance.

use whisperengine_types::{Emotion, PrimaryEmotion};

/// What each label means for a companion, and where it lies: arousal (drowsy 0 to agitated 1) and
/// dominance (overwhelmed 0 to in control 1). The anchors are our own, set by hand in the spirit of the
/// circumplex model (Russell, J. Pers. Soc. Psychol. 39, 1980); they are not measured norms.
pub(crate) struct Anchor {
    pub(crate) primary: PrimaryEmotion,
    pub(crate) arousal: f32,
    pub(crate) dominance: f32,
}

const fn anchor(primary: PrimaryEmotion, arousal: f32, dominance: f32) -> Anchor {
    Anchor {
        primary,
        arousal,
        dominance,
    }
}

/// By label id.
pub(crate) static ANCHORS: [Anchor; Emotion::COUNT] = {
    use PrimaryEmotion as P;
    [
        anchor(P::Pride, 0.50, 0.55),      // admiration
        anchor(P::Joy, 0.65, 0.60),        // amusement
        anchor(P::Anger, 0.85, 0.60),      // anger
        anchor(P::Anger, 0.60, 0.50),      // annoyance
        anchor(P::Joy, 0.35, 0.60),        // approval
        anchor(P::Love, 0.40, 0.55),       // caring
        anchor(P::Surprise, 0.50, 0.35),   // confusion
        anchor(P::Surprise, 0.55, 0.50),   // curiosity
        anchor(P::Excitement, 0.60, 0.50), // desire
        anchor(P::Sadness, 0.40, 0.30),    // disappointment
        anchor(P::Anger, 0.50, 0.55),      // disapproval
        anchor(P::Disgust, 0.60, 0.45),    // disgust
        anchor(P::Shame, 0.55, 0.25),      // embarrassment
        anchor(P::Excitement, 0.85, 0.65), // excitement
        anchor(P::Fear, 0.80, 0.20),       // fear
        anchor(P::Gratitude, 0.45, 0.55),  // gratitude
        anchor(P::Sadness, 0.55, 0.15),    // grief
        anchor(P::Joy, 0.65, 0.65),        // joy
        anchor(P::Love, 0.55, 0.60),       // love
        anchor(P::Fear, 0.70, 0.30),       // nervousness
        anchor(P::Joy, 0.50, 0.60),        // optimism
        anchor(P::Pride, 0.60, 0.75),      // pride
        anchor(P::Surprise, 0.45, 0.50),   // realization
        anchor(P::Calm, 0.25, 0.55),       // relief
        anchor(P::Shame, 0.45, 0.25),      // remorse
        anchor(P::Sadness, 0.35, 0.25),    // sadness
        anchor(P::Surprise, 0.75, 0.45),   // surprise
        anchor(P::Neutral, 0.20, 0.50),    // neutral
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

/// Arousal and dominance by label id, for sums in lanes.
pub(crate) static AROUSAL: [f32; Emotion::COUNT] = column(false);
pub(crate) static DOMINANCE: [f32; Emotion::COUNT] = column(true);

const fn column(is_dominance: bool) -> [f32; Emotion::COUNT] {
    let mut values = [0.0; Emotion::COUNT];
    let mut label = 0;
    while label < Emotion::COUNT {
        values[label] = if is_dominance {
            ANCHORS[label].dominance
        } else {
            ANCHORS[label].arousal
        };
        label += 1;
    }
    values
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
