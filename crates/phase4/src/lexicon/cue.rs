macro_rules! cues {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// A family of cues: what a word or phrase may speak for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub(crate) enum Cue { $($(#[$doc])* $name),* }

        impl Cue {
            /// How many families there are.
            pub(crate) const COUNT: usize = [$($text),*].len();

            /// Every family with the name of its section in the lexicon file.
            pub(crate) const ALL: [(Self, &'static str); Self::COUNT] = [$((Self::$name, $text)),*];

            /// The family's place in a set of families.
            pub(crate) const fn bit(self) -> u128 {
                1 << self as u8
            }
        }
    };
}

cues! {
    Negator = "negator", TrailingNegator = "trailing_negator", Clause = "clause", Link = "link",
    Contrast = "contrast", Intensifier = "intensifier", Diminisher = "diminisher",
    Stop = "stop", Common = "common", Quality = "quality",
    Joy = "joy", Sadness = "sadness", Anger = "anger", Fear = "fear", Surprise = "surprise",
    Disgust = "disgust", Anticipation = "anticipation", Trust = "trust", Ahead = "ahead",
    Stress = "stress", Support = "support", Achievement = "achievement", Personal = "personal",
    Heavy = "heavy", Own = "own", Address = "address", Light = "light",
    Problem = "problem", Solved = "solved", Feeling = "feeling", Inquiry = "inquiry",
    Exclaim = "exclaim", Technical = "technical", Creative = "creative", Smalltalk = "smalltalk",
    Switch = "switch", Opener = "opener", Reminder = "reminder", Interruption = "interruption",
    Urgent = "urgent", Timely = "timely", Closing = "closing", Farewell = "farewell",
    Anaphora = "anaphora", Continuation = "continuation",
    Formal = "formal", Casual = "casual", Detail = "detail", Terse = "terse", Humour = "humour",
    Teaching = "teaching", Deep = "deep", Surface = "surface", Confiding = "confiding",
    Distrust = "distrust", Insult = "insult", Gratitude = "gratitude", Boundary = "boundary",
    AskFormal = "ask_formal", AskCasual = "ask_casual", AskShort = "ask_short", AskLong = "ask_long",
    Greeting = "greeting", Conciliation = "conciliation",
    AskMoreHelp = "ask_more_help", AskLessHelp = "ask_less_help", Preference = "preference",
    OptOut = "opt_out", OptIn = "opt_in", Reasoned = "reasoned", Gut = "gut",
    Character = "character", Value = "value", Growth = "growth",
    Expertise = "expertise", Ignorance = "ignorance", Manner = "manner",
    Goal = "goal", Commitment = "commitment", Done = "done", Deferral = "deferral", Cause = "cause",
    Lively = "lively", Willing = "willing", Flat = "flat",
    ThemeWork = "theme_work", ThemeRelationships = "theme_relationships", ThemeFamily = "theme_family",
    ThemeHealth = "theme_health", ThemeHobbies = "theme_hobbies", ThemeAchievements = "theme_achievements",
    ThemeChallenges = "theme_challenges", ThemeLearning = "theme_learning",
    ThemeTechnology = "theme_technology", ThemeFinance = "theme_finance", ThemeHome = "theme_home",
    ThemeFood = "theme_food", ThemeEmotions = "theme_emotions", ThemePets = "theme_pets",
    ThemeTravel = "theme_travel",
}
