// discord.js as a second client of the stand-in, which is driven over its own small shell.
// Usage: node run.mjs FILE_WITH_ITS_OUTPUT FIFO_TO_ITS_INPUT
import assert from "node:assert/strict";
import fs from "node:fs";
import {
  ActionRowBuilder, ButtonBuilder, ButtonStyle, Client, Events, GatewayIntentBits, MessageFlags,
  ModalBuilder, SlashCommandBuilder, TextInputBuilder, TextInputStyle,
} from "discord.js";

const [, , outPath, inPath] = process.argv;
const input = fs.openSync(inPath, "w");
const output = () => fs.readFileSync(outPath, "utf8");
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(what, look) {
  for (let left = 500; left > 0; left -= 1) {
    const found = await look();
    if (found) return found;
    await pause(20);
  }
  throw new Error(`waited in vain for ${what}; the stand-in said:\n${output()}`);
}

/** Types a line into the stand-in's shell and waits for `wanted` in what it says after. */
async function type(line, wanted) {
  const before = output().length;
  fs.writeSync(input, `${line}\n`);
  return until(`${JSON.stringify(wanted)} after ${JSON.stringify(line)}`, () => {
    const said = output().slice(before);
    return said.includes(wanted) && said;
  });
}

const base = await until("the address", () => output().match(/API_PROXY=(\S+)/)?.[1]);
const token = output().match(/DISCORD_TOKEN=(\S+)/)[1];
const allowedMentions = { parse: [] };

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages],
  rest: { api: `${base}/api`, version: "10" },
  allowedMentions,
});
const failures = [];
client.on(Events.Error, (error) => failures.push(error));
const heard = [];
client.on(Events.MessageCreate, (message) => heard.push(message));
client.on(Events.MessageBulkDelete, (messages) => heard.push(messages));

client.on(Events.InteractionCreate, (interaction) => answer(interaction).catch((error) => failures.push(error)));
async function answer(interaction) {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    await interaction.respond([{ name: `${typed}!`, value: typed }]);
  } else if (interaction.isChatInputCommand()) {
    if (interaction.options.getSubcommand() === "purge") {
      await interaction.deferReply({ flags: MessageFlags.Ephemeral });
      const found = await interaction.channel.messages.fetch({ limit: 10 });
      const gone = await interaction.channel.bulkDelete(found.first(3));
      await interaction.editReply(`deleted ${gone.size}`);
      await interaction.followUp({ content: "and told you", flags: MessageFlags.Ephemeral });
      return;
    }
    const row = new ActionRowBuilder().addComponents(
      new ButtonBuilder().setCustomId("bump").setLabel("Bump").setStyle(ButtonStyle.Primary),
      new ButtonBuilder().setCustomId("ask").setLabel("Ask").setStyle(ButtonStyle.Secondary),
    );
    const text = `panel for ${interaction.options.getString("what")} in #${interaction.channel.name}`;
    await interaction.reply({ content: text, components: [row], flags: MessageFlags.Ephemeral });
  } else if (interaction.isButton() && interaction.customId === "bump") {
    await interaction.update({ content: "bumped" });
  } else if (interaction.isButton()) {
    const field = new TextInputBuilder().setCustomId("name").setLabel("Name").setStyle(TextInputStyle.Short);
    const modal = new ModalBuilder().setCustomId("form").setTitle("Who?");
    await interaction.showModal(modal.addComponents(new ActionRowBuilder().addComponents(field)));
  } else if (interaction.isModalSubmit()) {
    await interaction.reply(`the form says ${interaction.fields.getTextInputValue("name")}`);
  }
}

await client.login(token);
await until("the guild", () => client.isReady() && client.guilds.cache.first()?.available);
const option = (one) => one.setName("what").setDescription("What").setRequired(true).setAutocomplete(true);
await client.application.commands.set([
  new SlashCommandBuilder().setName("js").setDescription("By the second client")
    .addSubcommand((sub) => sub.setName("panel").setDescription("A panel").addStringOption(option))
    .addSubcommand((sub) => sub.setName("purge").setDescription("Deletes three messages")),
]);

await type("complete /js panel what:ab", "ab!");
await type("/js panel what:tea", "panel for tea in #general");
await type("press Bump", "bumped");
await type("press Ask", "a form opens");
await type("fill name:\"Ann Lee\"", "the form says Ann Lee");
await type("/js purge", "deleted 3");
await type("say hello", "");
await until("the message and the deletion", () => heard.length >= 3);
const sent = await client.channels.cache.find((one) => one.name === "ledger").send("booked");
await sent.edit("booked twice");
await sent.pin();
await sent.delete();
const problems = await type("problems", "\n");
assert.equal(problems.trim(), "none");
assert.deepEqual(failures, []);
await client.destroy();
fs.writeSync(input, "quit\n");
console.log("discord.js and the stand-in understand each other");
process.exit(0);
