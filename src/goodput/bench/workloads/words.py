"""A few hundred common English words: each is about one token in any English tokenizer."""

from __future__ import annotations

_TEXT = """
about above across after again against air all almost along also always among animal answer
area around art ask autumn away baby back ball bank base beach bear beautiful because bed before
begin behind believe below best better between big bird black blue board boat body book both
bottom box boy branch bread break bridge bright bring brother brown build burn business busy buy
call camp car care carry case cat catch cause center century chair change chapter child choose
church circle city class clean clear clock close cloud coast cold color come common complete
cook cool copy corn corner cost cotton country course cover cross crowd cry cup current cut
dance dark daughter day deal decide deep desert design develop dinner discover distance doctor
dog door double down draw dream dress drink drive drop dry during each ear early earth east easy
eat edge effect egg eight either electric empty end energy engine enough enter equal evening
event every exact example except exercise expect experience eye face fact fall family famous far
farm fast father feel few field fight figure final find fine finger finish fire first fish five
floor flow flower fly follow food foot force forest forget form forward four free fresh friend
front fruit full game garden gas gather general gentle girl give glass gold good grass gray
great green ground group grow guess hair half hand happen happy hard hat hear heart heat heavy
help high hill history hold hole home hope horse hot hour house huge human hundred hurry ice
idea image important inch industry insect inside instrument interest iron island job join
journey jump just keep key kind king kitchen know lake land language large last late laugh law
lead learn leave left leg length less letter level library lie life lift light line list listen
little live long look lost love low machine main make man many map mark market matter meal
measure meat meet memory metal method middle mile milk mind minute mirror modern moment money
month moon morning mother motion mountain mouth move music name nation nature near need never
new next night nine noise north nose note nothing notice number object ocean offer office oil
old once open opposite orange order other outside own oxygen page paint pair paper parent park
part pass past path pattern people perhaps period person phone picture piece place plain plan
plane plant play point poor position possible power practice prepare present press pretty print
problem process produce product promise proper protect prove pull push question quick quiet
quite race radio rain raise range rather reach read ready real reason receive record red region
remember repeat reply rest result rich ride right ring rise river road rock roll room root rope
rose round rule run safe sail salt same sand save say scale school science score sea search
season seat second secret see seed seem send sense sentence serve set seven several shape share
sharp ship shoe shop short should shoulder show side sight sign silent silver simple sing sister
sit six size skill skin sky sleep slow small smell smile smooth snow social soft soil soldier
son song soon sound south space speak special speed spell spend spring square stand star start
state station stay steam steel step stick still stone stop store story strange stream street
strong student study sudden sugar summer sun supply support sure surface surprise sweet swim
system table tail take talk tall teach team tell ten test thick thin thing think third thought
thousand three through time tiny together tone tool top total touch toward town track trade
train travel tree triangle trip trouble true try turn twenty type uncle under unit until use
usual valley value vary view village visit voice wait walk wall want warm wash watch water wave
way wear weather week weight west wheel while white whole wide wild win wind window winter wire
wish wonder wood word work world write yard year yellow yes young
"""

WORDS = tuple(_TEXT.split())
