// The English names of the zones that texts mostly speak of; knows no rules of zones.

export interface ZoneName {
  readonly short: string;
  readonly long: string;
  /** The zone that is meant where a text says no more. */
  readonly region: string;
}

const TABLE = `
PST|Pacific Standard Time|America/Los_Angeles
PDT|Pacific Daylight Time|America/Los_Angeles
MST|Mountain Standard Time|America/Denver
MDT|Mountain Daylight Time|America/Denver
CST|Central Standard Time|America/Chicago
CDT|Central Daylight Time|America/Chicago
EST|Eastern Standard Time|America/New_York
EDT|Eastern Daylight Time|America/New_York
AST|Atlantic Standard Time|America/Halifax
ADT|Atlantic Daylight Time|America/Halifax
NST|Newfoundland Standard Time|America/St_Johns
NDT|Newfoundland Daylight Time|America/St_Johns
AKST|Alaska Standard Time|America/Anchorage
AKDT|Alaska Daylight Time|America/Anchorage
HST|Hawaii-Aleutian Standard Time|Pacific/Honolulu
HDT|Hawaii-Aleutian Daylight Time|America/Adak
BRT|Brasilia Standard Time|America/Sao_Paulo
ART|Argentina Standard Time|America/Argentina/Buenos_Aires
COT|Colombia Standard Time|America/Bogota
GMT|Greenwich Mean Time|Europe/London
BST|British Summer Time|Europe/London
WET|Western European Standard Time|Europe/Lisbon
WEST|Western European Summer Time|Europe/Lisbon
CET|Central European Standard Time|Europe/Paris
CEST|Central European Summer Time|Europe/Paris
EET|Eastern European Standard Time|Europe/Athens
EEST|Eastern European Summer Time|Europe/Athens
MSK|Moscow Standard Time|Europe/Moscow
WAT|West Africa Time|Africa/Lagos
CAT|Central Africa Time|Africa/Maputo
EAT|East Africa Time|Africa/Nairobi
SAST|South Africa Standard Time|Africa/Johannesburg
GST|Gulf Standard Time|Asia/Dubai
IDT|Israel Daylight Time|Asia/Jerusalem
PKT|Pakistan Standard Time|Asia/Karachi
IST|India Standard Time|Asia/Kolkata
IST|Israel Standard Time|Asia/Jerusalem
IST|Irish Standard Time|Europe/Dublin
ICT|Indochina Time|Asia/Bangkok
WIB|Western Indonesia Time|Asia/Jakarta
CST|China Standard Time|Asia/Shanghai
HKT|Hong Kong Standard Time|Asia/Hong_Kong
SGT|Singapore Standard Time|Asia/Singapore
PHT|Philippine Standard Time|Asia/Manila
JST|Japan Standard Time|Asia/Tokyo
KST|Korean Standard Time|Asia/Seoul
AWST|Australian Western Standard Time|Australia/Perth
ACST|Australian Central Standard Time|Australia/Adelaide
ACDT|Australian Central Daylight Time|Australia/Adelaide
AEST|Australian Eastern Standard Time|Australia/Sydney
AEDT|Australian Eastern Daylight Time|Australia/Sydney
NZST|New Zealand Standard Time|Pacific/Auckland
NZDT|New Zealand Daylight Time|Pacific/Auckland
UTC|Coordinated Universal Time|UTC
`;

/** Of several with the same short name the first is meant. */
export const ZONE_NAMES: readonly ZoneName[] = TABLE.trim()
  .split('\n')
  .map((line) => {
    const [short = '', long = '', region = ''] = line.split('|');
    return { short, long, region };
  });
