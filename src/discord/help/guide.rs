//! Short texts about subjects that are larger than one command.

/// A subject.
pub struct Guide {
    /// As it is asked for.
    pub name: &'static str,
    /// As it is shown.
    pub title: &'static str,
    /// `{vanish set}` stands for the clickable mention of that command.
    template: &'static str,
}

/// The subjects, in the order of the menu.
pub const GUIDES: [Guide; 11] = [
    Guide {
        name: "vanish",
        title: "Vanishing channels",
        template: "A rule deletes each message of a channel at a certain age, or once a day, or keeps only the newest \
            ones.\n\
            **1.** {vanish set} shows how many messages would go, before anything happens.\n\
            **2.** You confirm. New messages vanish on time; old ones wait some minutes, so that you can abort.\n\
            **3.** {vanish show} tells the next deletion and how late it can be at most.\n\
            Pinned messages stay unless you say otherwise. {vanish exempt add} spares people, roles, bots or \
            webhooks. A message that you want to keep: its menu → Apps → **Keep message**.\n\
            {vanish pause} and {vanish off} stop it at once.",
    },
    Guide {
        name: "settings",
        title: "Settings",
        template: "A **slot** is a name for a channel, such as `alerts`: features post to the slot, and you decide \
            which channel that is.\n\
            **1.** {settings slot set} leads `alerts` to a channel that only your team sees.\n\
            **2.** {settings slot test} proves that it works.\n\
            **3.** {settings general} sets the time zone, by which days and summaries are counted.\n\
            **4.** {settings role set} gives a role of yours a right here, such as `manager`: its people may change \
            these settings.\n\
            When a channel is deleted or I lose a permission, I say so in `alerts`, once; {settings doctor} shows \
            everything that is broken. {settings history} shows who changed what, in chat or over the API, and rolls \
            back. {settings panel} has all of it with buttons.",
    },
    Guide {
        name: "practice",
        title: "Practice",
        template: "A timer counts what you practise, and only as far as I was there to see it.\n\
            **1.** {practice start} begins one: with a goal, in rounds with breaks, or seen by nobody but you.\n\
            **2.** Its buttons pause and stop it; so do {practice pause}, {practice resume} and {practice stop}. Where \
            this server counts voice channels, being in one is enough.\n\
            **3.** {practice history} shows your sessions. What I missed while I was away can be claimed there; \
            {practice log} writes down what was not timed, and {practice fix} corrects begin and end. What the server \
            does not let count at once, a reviewer decides.\n\
            After three hours without a sign of you I ask whether you still practise, and pause the timer when nobody \
            answers. The slot `practice` says when rounds and breaks are over. {practice goal set} sets goals, \
            {practice now} shows who practises.",
    },
    Guide {
        name: "practice-admin",
        title: "Running practice",
        template: "You decide what counts as practice here.\n\
            **1.** {practice-admin channels mode} and {practice-admin channels add} say which voice channels count.\n\
            **2.** {practice-admin rules} changes how they count, and shows before you save what the change would have \
            made of the last 7 days. What was counted stays.\n\
            **3.** {practice-admin queue} has what members wrote down or claim, beyond what the rules let through. \
            {settings role set} makes a role `reviewer`: its people may decide as well, but not about themselves.\n\
            **4.** {practice-admin adjust} adds or takes time, with a reason. {practice-admin season start} ranks the days \
            from today on by themselves.\n\
            **5.** {practice-admin post} posts the board of each day, week or month that ends into a slot, at your local \
            time, which {settings general} sets. What was missed while I was away is made up once; who has left or shows \
            themselves to nobody is not on it.\n\
            {practice-admin export} has all of it as a table. {settings history} rolls rules and schedules back.",
    },
    Guide {
        name: "apply",
        title: "Applying",
        template: "**1.** {apply}, or the button that this server has posted, shows what a form asks and whether you may \
            apply.\n\
            **2.** **Start** opens the first page. What you have written is kept with each page, for seven days after \
            the last one: {apply} goes on where you were, also after a break or on another device.\n\
            **3.** **Submit** sends it, once everything that must be answered is. You get a number.\n\
            {my applications} shows how your applications stand. As long as nobody has voted, you can change your \
            answers there; as long as nothing is decided, you can withdraw. It works in a direct message to me as well.",
    },
    Guide {
        name: "forms",
        title: "Making forms",
        template: "A form asks those who apply.\n\
            **1.** {forms create} makes one, closed. {forms question add} adds up to 25 questions: one line, several \
            lines, or choices. Five texts share a page; choices are made between the pages.\n\
            **2.** {forms policy} says who may apply and how it is decided.\n\
            **3.** {forms preview} shows it as applicants see it; {forms open} lets them apply, {forms close} ends it.\n\
            **4.** {forms panel post} posts a button, so that nobody has to know the command.\n\
            {forms show} has all of it with buttons, also the one that deletes. {forms export} and {forms import} \
            carry a form to another server. {settings history} shows who changed what, and brings deleted forms back.",
    },
    Guide {
        name: "applications",
        title: "Reviewing applications",
        template: "Each application comes as a post in the slot `applications`, with a thread to talk about it.\n\
            **1.** {settings slot set} leads `applications` to a channel of your reviewers; {settings role set} makes a \
            role `reviewer` or `voter`.\n\
            **2.** The buttons of the post vote. You see your own vote and what is still missing; it can be changed until \
            the application is decided.\n\
            **3.** {applications queue} has what waits, the one that ends next first. {applications view} shows all \
            answers, votes and notes; {applications remind} tells those who have not voted, at most every 12 hours.\n\
            **4.** The vote that is enough decides. {applications decide} decides in spite of votes, and is marked so. \
            {applications reopen} opens an application again.\n\
            Roles, messages and the thread follow by themselves. What fails is shown on the post with **Retry**; a role \
            above mine waits until mine is moved up.",
    },
    Guide {
        name: "my",
        title: "You and your data",
        template: "{my profile} sets your time zone, your language, and who sees the accounts that you have elsewhere.\n\
            {my data export} gives you everything that I hold about you as a file. {my data erase} shows what would go, \
            and makes me forget you when you confirm: keys and sign-ins end at once, and it cannot be undone.\n\
            All of it works here and in a direct message to me, and nobody else sees the answers.",
    },
    Guide {
        name: "api",
        title: "API",
        template: "Everything that you can do here works over HTTP as well, on the server where I run: rules and \
            slots set there show up here within a second, and the other way round.\n\
            Whoever runs me finds the reference at `/reference` and the OpenAPI document at `/openapi.json` of that \
            server. Requests carry their key as `X-API-Key`; an administrator makes keys with {apikey create}.\n\
            A channel that is named over the API is used once Discord has confirmed that it belongs to your server.",
    },
    Guide {
        name: "keys",
        title: "API keys",
        template: "A key lets a program do here what its scopes say. Administrators issue keys for their server; they \
            work nowhere else.\n\
            **1.** {apikey create} makes one and hands it over once: behind a link that asks for a code, in a direct \
            message that goes again, or in the answer.\n\
            **2.** {apikey list} shows what each may do, when it was used last and when it ends. I tell its owner \
            14, 3 and 1 days before that, and when it is used from a new network.\n\
            **3.** {apikey rotate} gives a new key while the old one works on for a while; {apikey revoke} ends one \
            at once.\n\
            Found a key where it does not belong? {apikey report} ends it, whoever you are. When you do not know \
            which one leaked: {apikey panic} ends all of them. A key is never shown again: what I keep cannot open \
            anything.",
    },
    Guide {
        name: "privacy",
        title: "Privacy",
        template: "I never read or store what you write: I do not ask Discord for the content of messages. Only \
            where whoever runs me wants pasted API keys to be found do I look for those, and keep nothing. What I keep \
            are ids:\n\
            • of servers, channels and roles that settings name\n\
            • of messages that somebody marked to be kept or to vanish at a time, and of my own posts\n\
            • of the people who changed a setting or have an API key, with what they changed and when\n\
            • of the people who apply, with their answers; drafts are forgotten after seven days\n\
            • of the people who practise, with when, where and what they wrote about it; their notes are theirs alone, \
            until they ask a reviewer for something. Who is in a voice channel I only know while they are there\n\
            A message that vanished leaves nothing behind but a number in a counter.",
    },
];

impl Guide {
    /// The text, with commands that can be clicked.
    pub fn text(&self, mention: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let (command, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(&mention(command));
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

/// Examples, by command.
const EXAMPLES: [(&str, &str); 81] = [
    ("vanish set", "/vanish set after:1d channel:#chat keep_last:50"),
    ("vanish default", "/vanish default after:7d pins:keep"),
    ("vanish show", "/vanish show channel:#chat"),
    ("vanish list", "/vanish list"),
    ("vanish exempt add", "/vanish exempt add target:@Moderators"),
    ("vanish exempt remove", "/vanish exempt remove target:@Moderators"),
    ("vanish exempt list", "/vanish exempt list"),
    ("vanish pause", "/vanish pause channel:#chat for:2h reason:event"),
    ("vanish resume", "/vanish resume channel:#chat"),
    ("vanish run", "/vanish run channel:#chat"),
    ("vanish off", "/vanish off channel:#chat"),
    ("practice start", "/practice start activity:scales goal:1h focus:25m rounds:4"),
    ("practice stop", "/practice stop note:slowly, with both hands"),
    ("practice pause", "/practice pause"),
    ("practice resume", "/practice resume"),
    ("practice now", "/practice now"),
    ("practice log", "/practice log duration:1h when:yesterday 18:30 note:scales"),
    ("practice fix", "/practice fix session:(one that I offer)"),
    ("practice goal set", "/practice goal set period:day amount:1h"),
    ("practice goal clear", "/practice goal clear period:day"),
    ("practice goal list", "/practice goal list"),
    ("practice history", "/practice history"),
    ("settings panel", "/settings panel"),
    ("settings slot set", "/settings slot set name:alerts channel:#staff"),
    ("settings slot show", "/settings slot show name:alerts"),
    ("settings slot clear", "/settings slot clear name:alerts"),
    ("settings slot create", "/settings slot create name:news type:Text channel purpose:Where news go"),
    ("settings slot test", "/settings slot test name:alerts"),
    ("settings general", "/settings general timezone:Europe/Berlin digest:Weekly"),
    ("settings history", "/settings history"),
    ("settings export", "/settings export"),
    ("settings import", "/settings import file:guildhall-settings.json"),
    ("settings doctor", "/settings doctor"),
    ("practice-admin channels mode", "/practice-admin channels mode mode:allow"),
    ("practice-admin channels add", "/practice-admin channels add channel:#Study room"),
    ("practice-admin channels remove", "/practice-admin channels remove channel:#Study room"),
    ("practice-admin channels list", "/practice-admin channels list"),
    ("practice-admin rules", "/practice-admin rules min_session:5m alone:True"),
    ("practice-admin queue", "/practice-admin queue"),
    ("practice-admin adjust", "/practice-admin adjust user:@Ada delta:-30m reason:forgot to stop"),
    ("practice-admin season start", "/practice-admin season start name:Winter"),
    ("practice-admin season end", "/practice-admin season end"),
    ("practice-admin post", "/practice-admin post period:weekly when:09:00"),
    ("practice-admin export", "/practice-admin export"),
    ("apply", "/apply form:Staff"),
    ("my applications", "/my applications"),
    ("forms create", "/forms create name:Staff intro:We look for three people"),
    ("forms edit", "/forms edit form:Staff"),
    ("forms question add", "/forms question add form:Staff label:Which team? choices:Red | Green"),
    ("forms question edit", "/forms question edit form:Staff question:2 required:False"),
    ("forms question move", "/forms question move form:Staff question:2 place:1"),
    ("forms question remove", "/forms question remove form:Staff question:2"),
    ("forms panel post", "/forms panel post form:Staff channel:#welcome"),
    ("forms link-native", "/forms link-native state:on form:Staff"),
    ("forms policy", "/forms policy form:Staff quorum:3 threshold:majority deadline:3d"),
    ("forms open", "/forms open form:Staff"),
    ("forms close", "/forms close form:Staff"),
    ("forms preview", "/forms preview form:Staff"),
    ("forms show", "/forms show form:Staff"),
    ("forms export", "/forms export form:Staff"),
    ("forms import", "/forms import file:guildhall-form.json"),
    ("applications queue", "/applications queue status:open mine:True"),
    ("applications view", "/applications view number:12"),
    ("applications vote", "/applications vote number:12 choice:approve"),
    ("applications note", "/applications note number:12 text:knows Ada"),
    ("applications remind", "/applications remind number:12"),
    ("applications decide", "/applications decide number:12 outcome:reject"),
    ("applications reopen", "/applications reopen number:12 reason:a mistake"),
    ("applications block add", "/applications block add user:@Ada until:30d"),
    ("applications block remove", "/applications block remove user:@Ada"),
    ("applications block list", "/applications block list"),
    ("applications stats", "/applications stats period:month"),
    ("apikey create", "/apikey create name:website preset:read-only expires:90d"),
    ("apikey list", "/apikey list"),
    ("apikey rotate", "/apikey rotate key:website overlap:24h"),
    ("apikey revoke", "/apikey revoke key:website reason:no longer used"),
    ("apikey log", "/apikey log key:website"),
    ("apikey report", "/apikey report text:(the leaked key)"),
    ("apikey panic", "/apikey panic"),
    ("help", "/help topic:privacy"),
    ("status", "/status"),
];

/// An example of a command.
pub fn example(command: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(name, _)| *name == command).map(|(_, example)| *example)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_mentions() {
        let text = GUIDES[1].text(|command| format!("</{command}:1>"));
        assert!(text.contains("</settings slot set:1>") && !text.contains('{'), "{text}");
        for guide in &GUIDES {
            assert!(guide.text(str::to_owned).chars().count() < 3_800);
        }
    }
}
