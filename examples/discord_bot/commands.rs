//! The slash commands and what is answered to them.

use serde_json::json;
use twilight_model::{
    application::{
        command::Command,
        interaction::{Interaction, InteractionData, application_command::CommandOptionValue},
    },
    channel::message::MessageFlags,
    http::interaction::{InteractionResponse, InteractionResponseData, InteractionResponseType},
};

/// What a person asks for with a slash command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// `/remember-me`: consent to be remembered, and perhaps to be written to first.
    Remember { write_first: bool },
    /// `/forget-me`: delete everything and withdraw the consent.
    Forget,
}

impl Wish {
    /// Reads an interaction; `None` when it is none of ours.
    pub(crate) fn read(interaction: &Interaction) -> Option<Self> {
        let Some(InteractionData::ApplicationCommand(data)) = &interaction.data else {
            return None;
        };
        match data.name.as_str() {
            "remember-me" => {
                let write_first = data.options.iter().any(|option| {
                    option.name == "write_first" && option.value == CommandOptionValue::Boolean(true)
                });
                Some(Self::Remember { write_first })
            }
            "forget-me" => Some(Self::Forget),
            _ => None,
        }
    }
}

/// The commands, for registration.
pub(crate) fn all() -> Vec<Command> {
    let commands = json!([
        {
            "type": 1,
            "name": "remember-me",
            "description": "Allow me to remember what you tell me",
            "default_member_permissions": null,
            "version": "1",
            "options": [{
                "type": 5,
                "name": "write_first",
                "description": "Allow me to write to you first now and then",
                "required": false,
            }],
        },
        {
            "type": 1,
            "name": "forget-me",
            "description": "Delete everything that I know about you",
            "default_member_permissions": null,
            "version": "1",
        },
    ]);
    serde_json::from_value(commands).expect("the commands are well-formed")
}

/// An answer that only the person sees.
pub(crate) fn answer(text: &str) -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::ChannelMessageWithSource,
        data: Some(InteractionResponseData {
            content: Some(text.to_owned()),
            flags: Some(MessageFlags::EPHEMERAL),
            ..InteractionResponseData::default()
        }),
    }
}
