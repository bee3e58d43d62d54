//! What English sentences state.

mod common;

use common::check;

const STATED: &[(&str, &[&str])] = &[
    // Names.
    ("My name is Teresa.", &["name = Teresa"]),
    ("you can call me Sam", &["name = Sam"]),
    ("call me later", &[]),
    ("my pronouns are they/them", &["pronouns = they/them"]),
    ("My birthday is on the 3rd of May.", &["birthday = 3rd of May"]),
    ("I'm 34 years old", &["age = 34"]),
    // Where.
    ("I live in Hamburg, close to the harbor", &["residence = Hamburg"]),
    (
        "we just moved from Lyon to New Orleans last month",
        &["residence = New Orleans"],
    ),
    ("i live in porto now", &["residence = porto"]),
    ("I live in a small flat", &[]),
    ("I live in constant fear", &[]),
    ("I'm originally from Ghana", &["origin = Ghana"]),
    ("I'm in Paris this week for a fair", &["whereabouts = Paris"]),
    (
        "my new address is 12 Elm Road, Flat 2",
        &["note = 12 Elm Road, Flat 2 (address)"],
    ),
    // Work.
    (
        "I work as a barista at the Blue Kettle",
        &["occupation = barista", "employer = Blue Kettle"],
    ),
    (
        "I'm a civil engineer, I build bridges mostly",
        &["occupation = civil engineer"],
    ),
    ("I'm a morning person", &[]),
    ("I'm a doctor's daughter", &[]),
    ("I work for a law firm", &["employer = law firm"]),
    ("I got a job as a locksmith", &["occupation = locksmith"]),
    ("I'm studying biology", &["school = biology"]),
    // People.
    (
        "my sister's name is Chiara, she's older",
        &["sibling = Chiara (sister)"],
    ),
    (
        "My uncle Tom grows bonsai trees",
        &["relative = Tom (uncle): grows bonsai trees"],
    ),
    (
        "Ben, my flatmate, plays bass",
        &["friend = Ben (flatmate): plays bass"],
    ),
    (
        "my sister lives in Porto",
        &["sibling = sister (sister): lives in Porto"],
    ),
    ("my husband Arne cooked", &["partner = Arne (husband)"]),
    ("my dentist is Dr. Vance", &["contact = Dr. Vance (dentist)"]),
    ("my mechanic is called Stevens", &["contact = Stevens (mechanic)"]),
    ("my niece is four", &["relative = niece (niece): four"]),
    // Animals.
    (
        "I have two cats, Miso and Nori",
        &["pet = Miso (cats)", "pet = Nori (cats)"],
    ),
    ("my parrot Koko bit the postman", &["pet = Koko (parrot)"]),
    ("we adopted a puppy, his name is Otto", &["pet = Otto (puppy)"]),
    ("I don't have a dog", &["pet = not dog (none)"]),
    // Likes.
    ("I love mushrooms in everything", &["like = mushrooms"]),
    ("I can't stand olives, the smell alone", &["dislike = olives"]),
    ("I don't like golf at all", &["dislike = golf"]),
    ("I find roses awful", &["dislike = roses"]),
    ("my favorite color is teal", &["like = teal (favorite color)"]),
    ("I love your photo", &[]),
    ("I love the colors in this painting", &[]),
    ("I love it when it rains", &[]),
    ("I'm a huge fan of bluegrass", &["like = bluegrass"]),
    ("I play the cello", &["hobby = cello"]),
    // Health and food.
    (
        "just so you know, I'm allergic to hazelnuts",
        &["allergy = hazelnuts"],
    ),
    (
        "I'm allergic to cats and pollen",
        &["allergy = cats", "allergy = pollen"],
    ),
    ("I'm lactose intolerant", &["allergy = lactose (intolerance)"]),
    ("I have asthma", &["health = asthma"]),
    ("sprained my ankle on the way", &["health = ankle (sprained)"]),
    ("I've become a vegetarian", &["diet = vegetarian"]),
    ("I no longer eat meat", &["diet = meat (does not eat)"]),
    ("I quit coffee", &["like = not coffee (quit)"]),
    // Numbers.
    (
        "my number is 040 555 0182 in case you need it",
        &["phone = 040 555 0182"],
    ),
    ("my locker code is 7731", &["note = 7731 (locker code)"]),
    (
        "the wifi password at my mother's is quince-88-lamp",
        &["note = quince-88-lamp (wifi password)"],
    ),
    ("I parked on level 4", &["note = level 4 (parked)"]),
    ("my email is ana@example.org", &["email = ana@example.org"]),
    ("I drive a Skoda", &["car = Skoda"]),
    ("I speak Welsh", &["speaks = Welsh"]),
    ("please answer in French", &["language = French"]),
    // Plans.
    (
        "I'm running the harbor half marathon on March 15",
        &["plan = running the harbor half marathon on March 15"],
    ),
    (
        "the rehearsal is on Tuesday at seven",
        &["plan = rehearsal (Tuesday)"],
    ),
    // Not facts of the person.
    ("if I lived in Rome I would eat better", &[]),
    ("I wish I had a cat", &[]),
    ("do I live in Oslo?", &[]),
    ("she said 'I live in Oslo'", &[]),
    ("\"I live in Oslo\", that's how the song goes", &[]),
    ("my boss says I'm a teacher at heart", &[]),
    ("when I was a kid I lived in Turin", &[]),
    ("I used to live in Turin", &[]),
    ("imagine I'm a pilot", &[]),
    ("[shares a picture: I live in Oslo]", &[]),
    ("see https://example.org/i-live-in-Oslo", &[]),
    ("", &[]),
];

#[test]
fn sentences_state_these_facts() {
    check("en", STATED);
}
