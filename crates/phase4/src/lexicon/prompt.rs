macro_rules! prompts {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// What the supplement says; `prompt.<name>` in the phrases.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Prompt { $($name),* }

        impl Prompt {
            /// How many there are.
            pub(super) const COUNT: usize = [$($text),*].len();

            /// The keys, in order.
            pub(super) const KEYS: [&'static str; Self::COUNT] = [$(concat!("prompt.", $text)),*];
        }
    };
}

prompts! {
    Guard = "guard", Mode = "mode", HumanLike = "mode.human_like", Analytical = "mode.analytical",
    Balanced = "mode.balanced", Exchange = "exchange", CasualChat = "exchange.casual_chat",
    ProblemSolving = "exchange.problem_solving", EmotionalSupport = "exchange.emotional_support",
    InformationSeeking = "exchange.information_seeking",
    CreativeCollaboration = "exchange.creative_collaboration",
    Mood = "mood", Tone = "tone", Acknowledge = "acknowledge", Validate = "validate",
    OfferSupport = "offer_support", Solutions = "solutions", Understanding = "understanding",
    Longer = "longer", Concise = "concise", Overall = "overall",
    Avoid = "avoid", Care = "care", CheckIn = "care.gentle_check_in", DirectSupport = "care.direct_support",
    Resources = "care.resource_offering", Skills = "care.skill_building", Crisis = "care.crisis_intervention",
    Memory = "memory", MemoryTone = "memory.tone", Gently = "memory.gently",
    Thread = "thread", OpenQuestion = "thread.question", Commitment = "thread.commitment",
    Change = "thread.change", Waiting = "thread.waiting", KeyTopics = "topics",
    Style = "style", Asked = "style.asked", Casual = "style.casual", Formal = "style.formal",
    Middling = "style.balanced", Brief = "style.brief", Medium = "style.medium", Detailed = "style.detailed",
    Listen = "style.reserved", Guide = "style.proactive",
    Relationship = "relationship", Strained = "relationship.strained", New = "relationship.new",
    Developing = "relationship.developing", Established = "relationship.established",
    Deep = "relationship.deep", LivenUp = "liven_up", Works = "works", First = "first",
}
